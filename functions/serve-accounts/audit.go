package serveaccounts

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// AuditRequest filters the audit log.
type AuditRequest struct {
	web.Paging
	By     string    `query:"by" format:"uuid"`
	Object string    `query:"object" maxLength:"100" example:"user 019bb397-f900-7b6c-8586-3875e34487ca"`
	From   time.Time `query:"from"`
	To     time.Time `query:"to"`
	Sort   string    `query:"sort" enum:"at,-at" default:"-at"`
}

// Act is an entry of the audit log: a request that changed something.
type Act struct {
	At     time.Time       `json:"at"`
	By     string          `json:"by" format:"uuid"`
	Role   string          `json:"role"`
	Act    string          `json:"act" example:"PUT /v1/users/{id}"`
	Object string          `json:"object"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// auditOrders are the orders of the list.
var auditOrders = map[string]string{
	"at":  `ORDER BY audit_id LIMIT @limit OFFSET @offset`,
	"-at": `ORDER BY audit_id DESC LIMIT @limit OFFSET @offset`,
}

func listAudit(ctx context.Context, db web.Reader, in *AuditRequest) (items []Act, total int64, err error) {
	if in.By != "" && !id.Valid(in.By) {
		return nil, 0, problem.Invalid(problem.FieldError{Field: "by", Message: "is not a UUID"})
	}
	var to *time.Time
	if !in.To.IsZero() {
		to = &in.To
	}
	args := pgx.NamedArgs{"by": in.By, "object": in.Object, "from": in.From, "to": to, "limit": in.Limit, "offset": in.Offset()}
	return web.QueryPage(ctx, db, pgx.RowToStructByPos[Act], `FROM bus.audit
		WHERE @by IN ('', by::text) AND @object IN ('', object) AND at >= @from::timestamptz AND (@to::timestamptz IS NULL OR at < @to)`,
		`SELECT at, coalesce(by::text, ''), role, act, object, before, after`, auditOrders[in.Sort], args)
}

// KeysAnswer is a JSON Web Key Set, RFC 7517.
type KeysAnswer struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Keys []token.JWK `json:"keys" nullable:"false"`
	}
}

func (a *accounts) readKeys(context.Context, web.Reader, *struct{}) (*KeysAnswer, error) {
	answer := &KeysAnswer{CacheControl: "public, max-age=300"}
	answer.Body.Keys = a.keys.Set()
	return answer, nil
}
