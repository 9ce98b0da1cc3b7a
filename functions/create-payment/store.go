package createpayment

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/payment"
)

// readOrder reads what to ask for, and whether the order still waits for it. It does not end before the transaction does.
func readOrder(ctx context.Context, tx pgx.Tx, orderID string) (q question, pending bool, err error) {
	q.OrderID = orderID
	err = tx.QueryRow(ctx, `
		SELECT payment_method, total_minor, currency, status = 'pending' AND payment = 'pending'
			AND NOT EXISTS (SELECT FROM payments.payments p WHERE p.order_id = o.order_id)
		FROM orders.orders o
		WHERE order_id = @order_id
		FOR SHARE OF o`, pgx.NamedArgs{"order_id": orderID}).
		Scan(&q.Method, &q.Amount.Minor, &q.Amount.Currency, &pending)
	if err != nil {
		return q, false, fmt.Errorf("read order %s: %w", orderID, err)
	}
	return q, pending, nil
}

// lockOrder keeps the order from ending while its payment is stored, and says whether it has ended.
func lockOrder(ctx context.Context, tx pgx.Tx, orderID string) (ended bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT deadline IS NULL
		FROM orders.orders
		WHERE order_id = @order_id
		FOR SHARE`, pgx.NamedArgs{"order_id": orderID}).Scan(&ended)
	if err != nil {
		return false, fmt.Errorf("lock order %s: %w", orderID, err)
	}
	return ended, nil
}

func noteAttempt(ctx context.Context, tx pgx.Tx, q question, result string) error {
	err := function.Queue(ctx, tx, -1, `
		INSERT INTO payments.attempts (key, payment_id, order_id, method, act, result, at)
		VALUES (@payment_id, @payment_id, @order_id, @method, 'open', @result, clock_timestamp())`,
		pgx.NamedArgs{"payment_id": q.PaymentID, "order_id": q.OrderID, "method": q.Method, "result": result})
	if err != nil {
		return fmt.Errorf("note attempt at payment %s: %w", q.PaymentID, err)
	}
	return nil
}

// entryOf is the entry that an outcome leaves beside 'created'.
var entryOf = map[payment.Outcome]string{payment.Paid: "captured", payment.Declined: "failed"}

// store stores the payment and its entries; status and sums follow by themselves.
func store(ctx context.Context, tx pgx.Tx, q question, provider string, opened payment.Opened) error {
	kinds := []string{"created"}
	if kind, closed := entryOf[opened.Outcome]; closed {
		kinds = append(kinds, kind)
	}
	err := function.Queue(ctx, tx, -1, `
		WITH opened AS (
			INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, provider_ref, uri, expires_at)
			VALUES (@payment_id, @order_id, @method, @provider, @amount, @currency, @ref, @uri, @expires_at)
			RETURNING payment_id, amount_minor, currency, provider, provider_ref
		)
		INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
		SELECT payment_id, kind, CASE WHEN kind = 'failed' THEN 0 ELSE amount_minor END, currency, provider, provider_ref
		FROM opened, unnest(@kinds::text[]) WITH ORDINALITY AS entry (kind, n)
		ORDER BY n`,
		paymentArgs(q, provider, opened, pgx.NamedArgs{"kinds": kinds}))
	if err != nil {
		return fmt.Errorf("store payment %s: %w", q.PaymentID, err)
	}
	return nil
}

// keepApart stores a payment that came too late: it never was open for the shop, and its money is in suspense.
func keepApart(ctx context.Context, tx pgx.Tx, q question, provider string, opened payment.Opened) error {
	err := function.Queue(ctx, tx, -1, `
		WITH opened AS (
			INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, provider_ref, uri, expires_at)
			VALUES (@payment_id, @order_id, @method, @provider, @amount, @currency, @ref, @uri, @expires_at)
			RETURNING payment_id, currency, provider, provider_ref
		), closed AS (
			INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
			SELECT payment_id, 'voided', 0, currency, provider, provider_ref FROM opened
		)
		INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency)
		VALUES (@payment_id, @order_id, @provider, @ref, @amount, @currency)`,
		paymentArgs(q, provider, opened, nil))
	if err != nil {
		return fmt.Errorf("keep payment %s apart: %w", q.PaymentID, err)
	}
	return nil
}

func paymentArgs(q question, provider string, opened payment.Opened, more pgx.NamedArgs) pgx.NamedArgs {
	args := pgx.NamedArgs{
		"payment_id": q.PaymentID, "order_id": q.OrderID, "method": q.Method, "provider": provider, "amount": q.Amount.Minor,
		"currency": q.Amount.Currency, "ref": opened.Ref, "uri": opened.URI, "expires_at": nil,
	}
	if !opened.ExpiresAt.IsZero() {
		args["expires_at"] = opened.ExpiresAt
	}
	for name, value := range more {
		args[name] = value
	}
	return args
}
