package refundpayment

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/pgbatch"
)

// readPayment returns the payment of an order that has money to refund, in suspense or not, or is open.
func readPayment(ctx context.Context, tx pgx.Tx, orderID string) (q request, ok bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT p.payment_id::text, p.order_id::text, p.method, p.provider, p.provider_ref, p.amount_minor,
			coalesce(s.amount_minor, p.captured_minor - p.refunded_minor), p.currency, s.payment_id IS NOT NULL
		FROM payments.payments p
		LEFT JOIN payments.suspense s ON s.payment_id = p.payment_id AND s.returned_at IS NULL
		WHERE p.order_id = @order_id AND (p.status IN ('opening', 'created') OR p.captured_minor > p.refunded_minor OR s.payment_id IS NOT NULL)
		ORDER BY p.created_at
		LIMIT 1`, pgx.NamedArgs{"order_id": orderID}).
		Scan(&q.PaymentID, &q.OrderID, &q.Method, &q.Provider, &q.Ref, &q.Amount, &q.Captured, &q.Currency, &q.InSuspense)
	if errors.Is(err, pgx.ErrNoRows) {
		return q, false, nil
	}
	if err != nil {
		return q, false, fmt.Errorf("read payment of order %s: %w", orderID, err)
	}
	return q, true, nil
}

// insertVoid closes an open payment and reports whether it was open until now.
func insertVoid(ctx context.Context, tx pgx.Tx, q request) (bool, error) {
	tag, err := tx.Exec(ctx, `
		WITH noted AS (
			INSERT INTO payments.attempts (key, payment_id, order_id, method, act, result, at)
			VALUES (@payment_id, @payment_id, @order_id, @method, 'void', 'voided', clock_timestamp())
		)
		INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
		VALUES (@payment_id, 'voided', 0, @currency, @provider, @ref)
		ON CONFLICT DO NOTHING`, q.args())
	if err != nil {
		return false, fmt.Errorf("void payment %s: %w", q.PaymentID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// insertRefund records a refund, once, and returns the refunded sum of the payment. For money in suspense it also
// records the capture, so that the entries of the payment balance.
func insertRefund(ctx context.Context, tx pgx.Tx, q request, a response) (refunded int64, ok bool, err error) {
	args := q.args()
	args["into_books"] = q.InSuspense || a.Late
	tag, err := tx.Exec(ctx, `
		WITH noted AS (
			INSERT INTO payments.attempts (key, payment_id, order_id, method, act, result, at)
			VALUES (@refund_id, @payment_id, @order_id, @method, 'refund', 'refunded', clock_timestamp())
		), returned AS (
			INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status)
			VALUES (@refund_id, @payment_id, @order_id, @amount, @currency, 'order is over', 'refund-payment', 'refunded')
			ON CONFLICT (refund_id) DO UPDATE SET status = 'refunded' WHERE refunds.status = 'failed'
			RETURNING refund_id
		), released AS (
			UPDATE payments.suspense SET returned_at = now() WHERE payment_id = @payment_id AND EXISTS (SELECT FROM returned)
		)
		INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
		SELECT @payment_id::uuid, kind, @amount::bigint, @currency, @provider, ref
		FROM returned, (VALUES (1, 'captured', @ref), (2, 'refunded', @refund_id::uuid::text)) AS entry (n, kind, ref)
		WHERE kind = 'refunded' OR @into_books::boolean
		ORDER BY n`, args)
	if err != nil {
		return 0, false, fmt.Errorf("store refund %s: %w", q.RefundID, err)
	}
	if tag.RowsAffected() == 0 {
		return 0, false, nil
	}
	err = tx.QueryRow(ctx, `
		SELECT refunded_minor FROM payments.payments WHERE payment_id = @payment_id`, args).Scan(&refunded)
	if err != nil {
		return 0, false, fmt.Errorf("read payment %s: %w", q.PaymentID, err)
	}
	return refunded, true, nil
}

// insertRefusal records a refund that the provider refused. Staff can try it again.
func insertRefusal(ctx context.Context, tx pgx.Tx, q request, a response) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status)
		VALUES (@refund_id, @payment_id, @order_id, @amount, @currency, 'order is over', 'refund-payment', 'failed')
		ON CONFLICT DO NOTHING`, q.args())
	if err != nil {
		return fmt.Errorf("note refusal of refund %s: %w", q.RefundID, err)
	}
	return insertAttempt(ctx, tx, q, "refused: "+a.Refusal)
}

// insertAttempt records a call to the provider.
func insertAttempt(ctx context.Context, tx pgx.Tx, q request, result string) error {
	args := q.args()
	args["result"] = result
	err := pgbatch.Enqueue(ctx, tx, -1, `
		INSERT INTO payments.attempts (key, payment_id, order_id, method, act, result, at)
		VALUES (@refund_id, @payment_id, @order_id, @method, CASE WHEN @amount::bigint > 0 THEN 'refund' ELSE 'void' END, @result, clock_timestamp())`, args)
	if err != nil {
		return fmt.Errorf("note attempt at refund %s: %w", q.RefundID, err)
	}
	return nil
}

func (q request) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"payment_id": q.PaymentID, "order_id": q.OrderID, "method": q.Method, "provider": q.Provider, "ref": q.Ref,
		"amount": q.Captured, "currency": q.Currency, "refund_id": q.RefundID,
	}
}
