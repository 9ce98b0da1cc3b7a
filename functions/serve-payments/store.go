package servepayments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const (
	paymentColumns = `p.payment_id::text, p.order_id::text, o.order_number, p.method, p.provider, p.status, p.amount_minor, p.currency,
		p.captured_minor, p.refunded_minor, p.provider_ref, CASE WHEN p.status = 'created' THEN p.uri ELSE '' END,
		CASE WHEN p.status = 'created' THEN p.slip END, p.expires_at, p.created_at, p.updated_at`
	fromPayments = `FROM payments.payments p JOIN orders.orders o USING (order_id)`
)

func scanPayment(row pgx.CollectableRow) (p Payment, err error) {
	err = row.Scan(&p.ID, &p.OrderID, &p.OrderNumber, &p.Method, &p.Provider, &p.Status, &p.Amount.Minor, &p.Amount.Currency,
		&p.Captured.Minor, &p.Refunded.Minor, &p.ProviderRef, &p.URI, &p.Slip, &p.ExpiresAt, &p.CreatedAt, &p.UpdatedAt)
	p.Captured.Currency, p.Refunded.Currency = p.Amount.Currency, p.Amount.Currency
	p.CreatedAt, p.UpdatedAt, p.ExpiresAt = p.CreatedAt.UTC(), p.UpdatedAt.UTC(), utc(p.ExpiresAt)
	return p, err
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	at := t.UTC()
	return &at
}

// find returns the first row of a query, and a 404 problem if there is none.
func find[T any](ctx context.Context, db web.Reader, noun, sql string, args pgx.NamedArgs, scan pgx.RowToFunc[T]) (found T, err error) {
	rows, err := db.Query(ctx, sql, args)
	if err != nil {
		return found, fmt.Errorf("read %s: %w", noun, err)
	}
	found, err = pgx.CollectOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return found, problem.NotFound(noun)
	}
	if err != nil {
		return found, fmt.Errorf("read %s: %w", noun, err)
	}
	return found, nil
}

func readPayment(ctx context.Context, db web.Reader, in *PaymentRequest) (*PaymentAnswer, error) {
	if !id.Valid(in.ID) {
		return nil, problem.NotFound("payment")
	}
	p, err := find(ctx, db, "payment", `SELECT `+paymentColumns+` `+fromPayments+` WHERE p.payment_id = @id`,
		pgx.NamedArgs{"id": in.ID}, scanPayment)
	return &PaymentAnswer{p}, err
}

// readOfOrder returns the newest payment of an order.
func readOfOrder(ctx context.Context, db web.Reader, in *OrderRequest) (*PaymentAnswer, error) {
	if !id.Valid(in.ID) {
		return nil, problem.NotFound("order")
	}
	p, err := find(ctx, db, "payment", `
		SELECT `+paymentColumns+` `+fromPayments+` WHERE p.order_id = @id ORDER BY p.created_at DESC LIMIT 1`,
		pgx.NamedArgs{"id": in.ID}, scanPayment)
	return &PaymentAnswer{p}, err
}

func listPayments(ctx context.Context, db web.Reader, in *PaymentsRequest) (items []Payment, total int64, err error) {
	where := ` WHERE @status IN ('', p.status) AND @method IN ('', p.method)
		AND (@from = '' OR p.created_at >= nullif(@from, '')::date) AND (@to = '' OR p.created_at < nullif(@to, '')::date + 1)`
	return web.QueryPage(ctx, db, scanPayment, fromPayments+where, `SELECT `+paymentColumns,
		`ORDER BY p.created_at DESC, p.payment_id DESC LIMIT @limit OFFSET @offset`, pgx.NamedArgs{
			"status": in.Status, "method": in.Method, "from": in.From, "to": in.To, "limit": in.Limit, "offset": in.Offset(),
		})
}

func listEntries(ctx context.Context, db web.Reader, in *PaymentRequest) (*EntriesAnswer, error) {
	if _, err := readPayment(ctx, db, in); err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, `
		SELECT kind, amount_minor, currency, provider_ref, at
		FROM payments.entries
		WHERE payment_id = @id
		ORDER BY at, kind`, pgx.NamedArgs{"id": in.ID})
	if err != nil {
		return nil, fmt.Errorf("read entries of payment %s: %w", in.ID, err)
	}
	answer := &EntriesAnswer{}
	answer.Body.Items, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Entry, err error) {
		err = row.Scan(&e.Kind, &e.Amount.Minor, &e.Amount.Currency, &e.ProviderRef, &e.At)
		e.At = e.At.UTC()
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read entries of payment %s: %w", in.ID, err)
	}
	return answer, nil
}

func listSuspense(ctx context.Context, db web.Reader, in *SuspenseRequest) (items []Suspended, total int64, err error) {
	from := `FROM payments.suspense s JOIN payments.payments p USING (payment_id) JOIN orders.orders o ON o.order_id = p.order_id
		WHERE @all OR s.returned_at IS NULL`
	return web.QueryPage(ctx, db, scanSuspended, from, `SELECT s.payment_id::text, p.order_id::text, o.order_number, s.provider, s.provider_ref,
		s.why, p.amount_minor, p.currency, s.amount_minor, s.currency, s.came_at, s.returned_at`,
		`ORDER BY s.came_at DESC, s.payment_id LIMIT @limit OFFSET @offset`,
		pgx.NamedArgs{"all": in.All, "limit": in.Limit, "offset": in.Offset()})
}

func scanSuspended(row pgx.CollectableRow) (s Suspended, err error) {
	err = row.Scan(&s.PaymentID, &s.OrderID, &s.OrderNumber, &s.Provider, &s.ProviderRef, &s.Why, &s.Expected.Minor, &s.Expected.Currency,
		&s.Got.Minor, &s.Got.Currency, &s.CameAt, &s.ReturnedAt)
	s.CameAt, s.ReturnedAt = s.CameAt.UTC(), utc(s.ReturnedAt)
	return s, err
}
