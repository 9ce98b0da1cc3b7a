package serveevents

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/mailtext"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// MailsRequest selects a page of the mails, newest first by default.
type MailsRequest struct {
	web.Paging
	OrderID string `query:"order_id" format:"uuid"`
	Status  string `query:"status" enum:"sending,waiting,sent,failed,unknown,limited"`
	Sort    string `query:"sort" enum:"created_at,-created_at" default:"-created_at"`
}

// mailOrders are the orders of the list.
var mailOrders = map[string]string{
	"created_at":  `ORDER BY m.created_at, m.mail_id LIMIT @limit OFFSET @offset`,
	"-created_at": `ORDER BY m.created_at DESC, m.mail_id DESC LIMIT @limit OFFSET @offset`,
}

// Mail is a mail that send-email wrote.
type Mail struct {
	ID          string     `json:"id" format:"uuid"`
	OrderID     string     `json:"order_id,omitempty" format:"uuid" doc:"Left out for a mail that is about an account."`
	OrderNumber string     `json:"order_number,omitempty"`
	Kind        string     `json:"kind" example:"order_shipped"`
	Status      string     `json:"status" enum:"sending,waiting,sent,failed,unknown,limited" doc:"Unknown: the mail server may have accepted it or not. Limited: its address has had too many today."`
	Tries       int        `json:"tries"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	SentAt      *time.Time `json:"sent_at,omitempty"`
}

// MailRequest names a mail.
type MailRequest struct {
	ID string `path:"id" format:"uuid"`
}

// MailAnswer is a mail and its text.
type MailAnswer struct {
	Body struct {
		Mail
		To      string `json:"to,omitempty"`
		Subject string `json:"subject,omitempty" doc:"As it would be written now; left out for a mail that is about an account."`
		Text    string `json:"text,omitempty" doc:"Its plain text, as it would be written now. The link does not have the token of a guest's order."`
	}
}

// SentAgain is a mail that is to be sent again.
type SentAgain struct{ Body Mail }

const (
	mailColumns = `m.mail_id::text, coalesce(o.order_id::text, ''), coalesce(o.order_number, ''), m.kind, m.status, m.tries, m.created_at,
		m.updated_at, m.sent_at`
	fromMails = `FROM mail.mails m LEFT JOIN orders.orders o USING (order_id)`
)

func scanMail(row pgx.CollectableRow) (m Mail, err error) {
	m, err = pgx.RowToStructByPos[Mail](row)
	m.CreatedAt, m.UpdatedAt, m.SentAt = m.CreatedAt.UTC(), m.UpdatedAt.UTC(), utc(m.SentAt)
	return m, err
}

// listMails reads all mails of an order by their constraint, or the newest ones by their time.
func listMails(ctx context.Context, db web.Reader, in *MailsRequest) (items []Mail, total int64, err error) {
	if in.OrderID != "" && !id.Valid(in.OrderID) {
		return nil, 0, problem.Invalid(problem.FieldError{Field: "order_id", Message: "is not a UUID"})
	}
	args := pgx.NamedArgs{"order_id": in.OrderID, "status": in.Status, "limit": in.Limit, "offset": in.Offset()}
	where := ` WHERE @status IN ('', m.status)`
	if in.OrderID != "" {
		where += ` AND m.order_id = @order_id::uuid`
	}
	return web.QueryPage(ctx, db, scanMail, fromMails+where, `SELECT `+mailColumns,
		mailOrders[in.Sort], args)
}

// querier is a web.Reader or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// findMail returns a mail, and a 404 problem for one that does not exist.
func findMail(ctx context.Context, db querier, mailID string) (m Mail, err error) {
	if !id.Valid(mailID) {
		return m, problem.NotFound("mail")
	}
	rows, err := db.Query(ctx, `SELECT `+mailColumns+` `+fromMails+` WHERE m.mail_id = @id`, pgx.NamedArgs{"id": mailID})
	if err != nil {
		return m, fmt.Errorf("read mail %s: %w", mailID, err)
	}
	m, err = pgx.CollectExactlyOneRow(rows, scanMail)
	if errors.Is(err, pgx.ErrNoRows) {
		return m, problem.NotFound("mail")
	}
	if err != nil {
		return m, fmt.Errorf("read mail %s: %w", mailID, err)
	}
	return m, nil
}

// readMail returns a mail with its text.
func (h *handler) readMail(ctx context.Context, db web.Reader, in *MailRequest) (*MailAnswer, error) {
	m, err := findMail(ctx, db, in.ID)
	if err != nil {
		return nil, err
	}
	answer := &MailAnswer{}
	answer.Body.Mail = m
	if m.OrderID == "" {
		return answer, nil
	}
	l := mailtext.Message{MailID: m.ID, OrderID: m.OrderID, Kind: m.Kind}
	err = db.QueryRow(ctx, `
		SELECT `+mailtext.OrderColumns+`
		FROM (SELECT @order_id::uuid AS order_id) m`+mailtext.OrderTables, pgx.NamedArgs{"order_id": m.OrderID}).Scan(l.OrderFields()...)
	if err != nil {
		return nil, fmt.Errorf("read order %s for mail %s: %w", m.OrderID, m.ID, err)
	}
	l.Link = h.link(l)
	answer.Body.To = l.To
	answer.Body.Subject, answer.Body.Text, _, err = mailtext.Render(l)
	return answer, err
}

// sendMail has send-email send a mail again that was not sent, or of which nothing is known.
func sendMail(ctx context.Context, tx pgx.Tx, in *MailRequest) (*SentAgain, []events.Event, error) {
	m, err := findMail(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case m.OrderID == "":
		return nil, nil, notSendable(m, "A mail that is about an account is not sent again: ask its owner to repeat what led to it.")
	case !slices.Contains([]string{"unknown", "failed", "limited", "waiting"}, m.Status):
		return nil, nil, notSendable(m, "A mail that is "+m.Status+" is not sent again.")
	}
	requestID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	requested := events.MailRequested{
		MailID: m.ID, OrderID: m.OrderID, Kind: m.Kind, By: auth.CallerFrom(ctx).ID, RequestID: requestID.String(),
	}
	_, err = tx.Exec(ctx, `
		SELECT bus.note_action('mail ' || @mail_id::text, json_build_object('order_id', @order_id::text, 'kind', @kind::text)::jsonb)`,
		pgx.NamedArgs{"mail_id": m.ID, "order_id": m.OrderID, "kind": m.Kind})
	if err != nil {
		return nil, nil, fmt.Errorf("note that mail %s is sent again: %w", m.ID, err)
	}
	return &SentAgain{m}, []events.Event{requested}, nil
}

func notSendable(m Mail, detail string) error {
	return problem.New(http.StatusConflict, "not-possible-now", detail).With("mail_status", m.Status)
}
