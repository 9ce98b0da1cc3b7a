package refundpayment

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/pgbatch"
)

const columns = `p.payment_id::text, p.order_id::text, p.method, p.provider, p.provider_ref, p.amount_minor`

// readPayment returns the payment of an order that has money to refund, in suspense or not, or is open.
func readPayment(ctx context.Context, tx pgx.Tx, orderID string) (q request, ok bool, err error) {
	return q.scan(tx.QueryRow(ctx, `
		SELECT `+columns+`, coalesce(s.amount_minor, p.captured_minor - p.refunded_minor), coalesce(s.currency, p.currency), coalesce(s.why, ''),
			coalesce(s.amount_minor <= p.amount_minor AND s.currency = p.currency, true), '', false
		FROM payments.payments p
		LEFT JOIN payments.suspense s ON s.payment_id = p.payment_id AND s.returned_at IS NULL AND s.why <> 'double'
		WHERE p.order_id = @order_id AND (p.status IN ('opening', 'created', 'authorised') OR p.captured_minor > p.refunded_minor OR s.payment_id IS NOT NULL)
		ORDER BY p.created_at
		LIMIT 1`, pgx.NamedArgs{"order_id": orderID}))
}

// readRequested returns a refund that was requested with its amount. Its amount is 0 once it is done.
func readRequested(ctx context.Context, tx pgx.Tx, refundID string) (q request, ok bool, err error) {
	return q.scan(tx.QueryRow(ctx, `
		SELECT `+columns+`, CASE r.status WHEN 'refunded' THEN 0 ELSE r.amount_minor END, r.currency, coalesce(r.of_suspense, ''),
			r.amount_minor <= p.amount_minor AND r.currency = p.currency, r.refund_id::text, true
		FROM payments.refunds r
		JOIN payments.payments p USING (payment_id)
		WHERE r.refund_id = @refund_id`, pgx.NamedArgs{"refund_id": refundID}))
}

func (q request) scan(row pgx.Row) (_ request, ok bool, err error) {
	err = row.Scan(&q.PaymentID, &q.OrderID, &q.Method, &q.Provider, &q.Ref, &q.Amount, &q.Captured, &q.Currency, &q.Suspense, &q.Fits,
		&q.RefundID, &q.Part)
	if errors.Is(err, pgx.ErrNoRows) {
		return q, false, nil
	}
	if err != nil {
		return q, false, fmt.Errorf("read payment to refund: %w", err)
	}
	return q, true, nil
}

// lockPayment locks a payment, so that money which check-payment puts into suspense meanwhile is seen afterwards.
func lockPayment(ctx context.Context, tx pgx.Tx, paymentID string) error {
	_, err := tx.Exec(ctx, `
		SELECT FROM payments.payments WHERE payment_id = @payment_id FOR NO KEY UPDATE`, pgx.NamedArgs{"payment_id": paymentID})
	if err != nil {
		return fmt.Errorf("lock payment %s: %w", paymentID, err)
	}
	return nil
}

// insertVoid closes an open payment and reports whether it was open until now.
func insertVoid(ctx context.Context, tx pgx.Tx, q request) (bool, error) {
	args := q.args()
	args["kind"] = "voided"
	if q.Expired {
		args["kind"] = "expired"
	}
	tag, err := tx.Exec(ctx, `
		WITH noted AS (
			INSERT INTO payments.attempts (key, payment_id, order_id, method, act, result, at)
			VALUES (@payment_id, @payment_id, @order_id, @method, 'void', 'voided', clock_timestamp())
		)
		INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
		VALUES (@payment_id, @kind, 0, @currency, @provider, @ref)
		ON CONFLICT DO NOTHING`, args)
	if err != nil {
		return false, fmt.Errorf("void payment %s: %w", q.PaymentID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// entryKinds returns the kinds of the entries of a refund. Late money is captured and refunded at once, so that the entries
// balance. Money that exceeds the amount of the payment has no entries; it only closes the payment.
func (q request) entryKinds() []string {
	switch {
	case q.Suspense == "double":
		return nil
	case q.Suspense != "" && !q.Fits:
		return []string{"voided"}
	case q.Suspense != "":
		return []string{"captured", "refunded"}
	}
	return []string{"refunded"}
}

// insertRefund records a refund, once, and returns the refunded sum of the payment. Money that was received while the payment
// was being voided was in suspense for a moment.
func insertRefund(ctx context.Context, tx pgx.Tx, q request) (refunded int64, ok bool, err error) {
	args := q.args()
	args["kinds"] = q.entryKinds()
	var returned bool
	err = tx.QueryRow(ctx, `
		WITH noted AS (
			INSERT INTO payments.attempts (key, payment_id, order_id, method, act, result, at)
			VALUES (@refund_id, @payment_id, @order_id, @method, 'refund', 'refunded', clock_timestamp())
		), returned AS (
			INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status, of_suspense)
			VALUES (@refund_id, @payment_id, @order_id, @amount, @currency, 'order is over', 'refund-payment', 'refunded', nullif(@suspense, ''))
			ON CONFLICT (refund_id) DO UPDATE SET status = 'refunded' WHERE refunds.status <> 'refunded'
			RETURNING refund_id
		), suspended AS (
			INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency, why, returned_at)
			SELECT @payment_id, @order_id, @provider, @ref, @amount, @currency, @suspense, now()
			FROM returned
			WHERE @suspense = 'late'
			ON CONFLICT DO NOTHING
		), released AS (
			UPDATE payments.suspense SET returned_at = now()
			WHERE payment_id = @payment_id AND why = @suspense AND EXISTS (SELECT FROM returned) AND NOT EXISTS (
				SELECT FROM payments.refunds r
				WHERE r.payment_id = @payment_id AND r.of_suspense = @suspense AND r.status <> 'refunded' AND r.refund_id <> @refund_id)
		), entered AS (
			INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
			SELECT @payment_id::uuid, kind, CASE kind WHEN 'voided' THEN 0 ELSE @amount::bigint END,
				(SELECT currency FROM payments.payments WHERE payment_id = @payment_id), @provider,
				CASE kind WHEN 'refunded' THEN @refund_id::uuid::text ELSE @ref END
			FROM returned, unnest(@kinds::text[]) WITH ORDINALITY AS entry (kind, n)
			ORDER BY n
			ON CONFLICT DO NOTHING
		)
		SELECT EXISTS (SELECT FROM returned)`, args).Scan(&returned)
	if err != nil {
		return 0, false, fmt.Errorf("store refund %s: %w", q.RefundID, err)
	}
	if !returned {
		return 0, false, nil
	}
	refunded, err = readRefunded(ctx, tx, q.PaymentID)
	return refunded, err == nil, err
}

// readRefunded returns the refunded sum of a payment.
func readRefunded(ctx context.Context, tx pgx.Tx, paymentID string) (refunded int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT refunded_minor FROM payments.payments WHERE payment_id = @payment_id`, pgx.NamedArgs{"payment_id": paymentID}).Scan(&refunded)
	if err != nil {
		return 0, fmt.Errorf("read payment %s: %w", paymentID, err)
	}
	return refunded, nil
}

// insertRefusal records a refund that the provider refused. Staff can request it again. Money that was received while the
// payment was being voided is in suspense until then.
func insertRefusal(ctx context.Context, tx pgx.Tx, q request, a response) error {
	_, err := tx.Exec(ctx, `
		WITH kept AS (
			INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency, why)
			SELECT @payment_id, @order_id, @provider, @ref, @amount, @currency, @suspense
			WHERE @suspense = 'late'
			ON CONFLICT DO NOTHING
		)
		INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status, of_suspense)
		VALUES (@refund_id, @payment_id, @order_id, @amount, @currency, 'order is over', 'refund-payment', 'failed', nullif(@suspense, ''))
		ON CONFLICT (refund_id) DO UPDATE SET status = 'failed' WHERE refunds.status = 'requested'`, q.args())
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
		"amount": q.Captured, "currency": q.Currency, "refund_id": q.RefundID, "suspense": q.Suspense,
	}
}
