package orderview

import (
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/typed"
	"github.com/popup-shop/popup/internal/web"
)

// Filter is which orders are listed. What is empty does not count.
type Filter struct {
	web.Paging
	Status     string    `query:"status" maxLength:"40"`
	Number     string    `query:"number" maxLength:"40" doc:"the whole order number"`
	CustomerID string    `query:"customer_id" format:"uuid"`
	StoreID    string    `query:"store_id" format:"uuid" doc:"that sells one of the lines"`
	Method     string    `query:"method" maxLength:"40"`
	From       time.Time `query:"from"`
	To         time.Time `query:"to"`
	Q          string    `query:"q" maxLength:"100" doc:"A part of the order number, or of the contact's name, e-mail address or telephone number."`
	Hidden     bool      `query:"hidden" doc:"For admins: the orders that were hidden, instead of all others."`
	Sort       string    `query:"sort" enum:"created_at,-created_at,total,-total" default:"-created_at"`
}

// An order's id begins with the time at which it was placed, so the order of ids is that of times.
var sorts = map[string]string{
	"created_at": "o.order_id", "-created_at": "o.order_id DESC", "total": "total_minor, o.order_id", "-total": "total_minor DESC, o.order_id DESC",
}

// List returns a page of the orders that the caller may see: staff all orders, others their own.
func List(ctx context.Context, db web.Reader, f *Filter) (items []Order, total int64, err error) {
	for field, value := range map[string]string{"customer_id": f.CustomerID, "store_id": f.StoreID} {
		if value != "" && !id.Valid(value) {
			return nil, 0, problem.Invalid(problem.FieldError{Field: field, Message: "is not a UUID"})
		}
	}
	own := ""
	if caller := auth.CallerFrom(ctx); !caller.IsStaff() {
		own = caller.ID
	}
	if f.Hidden && auth.CallerFrom(ctx).Role != token.Admin {
		return nil, 0, problem.New(http.StatusForbidden, "not-allowed", "Only admins list the orders that were hidden.")
	}
	const which = from + `
		WHERE (@own::text = '' OR customer_id = nullif(@own, '')::uuid)
		AND (@customer_id = '' OR customer_id = nullif(@customer_id, '')::uuid)
		AND @status IN ('', status) AND @number IN ('', order_number) AND @method IN ('', payment_method)
		AND (@q = '' OR position(lower(@q) IN lower(concat_ws(' ', order_number, a.name, a.email, a.phone))) > 0)
		AND created_at >= @from::timestamptz AND (@to::timestamptz IS NULL OR created_at < @to)
		AND @hidden = EXISTS (SELECT FROM orders.hidden h WHERE h.order_id = o.order_id)
		AND (@store_id = '' OR EXISTS (SELECT FROM orders.lines l WHERE l.order_id = o.order_id AND l.store_id = nullif(@store_id, '')::uuid))`
	args := pgx.NamedArgs{
		"own": own, "customer_id": f.CustomerID, "status": f.Status, "number": f.Number, "method": f.Method, "store_id": f.StoreID,
		"from": f.From, "to": orNone(f.To), "q": typed.Code(f.Q), "hidden": f.Hidden, "limit": f.Limit, "offset": f.Offset(),
	}
	return web.QueryPage(ctx, db, func(row pgx.CollectableRow) (Order, error) { return scan(row) }, which,
		`SELECT `+columns,
		`ORDER BY `+sorts[f.Sort]+` LIMIT @limit OFFSET @offset`, args)
}

func orNone(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
