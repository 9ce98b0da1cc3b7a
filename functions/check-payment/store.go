package checkpayment

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

func readPayment(ctx context.Context, tx pgx.Tx, paymentID string) (q request, ok bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT payment_id::text, order_id::text, method, provider, provider_ref, amount_minor, currency, status = 'created'
		FROM payments.payments
		WHERE payment_id = @payment_id`, pgx.NamedArgs{"payment_id": paymentID}).
		Scan(&q.PaymentID, &q.OrderID, &q.Method, &q.Provider, &q.Ref, &q.Amount.Minor, &q.Amount.Currency, &q.Open)
	if errors.Is(err, pgx.ErrNoRows) {
		return q, false, nil
	}
	if err != nil {
		return q, false, fmt.Errorf("read payment %s: %w", paymentID, err)
	}
	return q, true, nil
}

// lockPayment locks the order of a payment and then the payment, and returns what is recorded about it.
func lockPayment(ctx context.Context, tx pgx.Tx, q request) (k payment.Known, err error) {
	k = payment.Known{OrderID: q.OrderID, Amount: q.Amount}
	err = tx.QueryRow(ctx, `
		SELECT status IN ('cancelling', 'cancelled', 'rejected', 'expired') FROM orders.orders WHERE order_id = @order_id FOR SHARE`,
		pgx.NamedArgs{"order_id": q.OrderID}).Scan(&k.OrderEnded)
	if err != nil {
		return k, fmt.Errorf("lock order %s: %w", q.OrderID, err)
	}
	args := pgx.NamedArgs{"payment_id": q.PaymentID}
	err = tx.QueryRow(ctx, `
		SELECT status = 'created', captured_minor FROM payments.payments WHERE payment_id = @payment_id FOR NO KEY UPDATE`, args).
		Scan(&k.Open, &k.Captured)
	if err != nil {
		return k, fmt.Errorf("lock payment %s: %w", q.PaymentID, err)
	}
	err = tx.QueryRow(ctx, `
		SELECT coalesce(sum(amount_minor) FILTER (WHERE why <> 'double'), 0)::bigint, coalesce(sum(amount_minor) FILTER (WHERE why = 'double'), 0)::bigint
		FROM payments.suspense
		WHERE payment_id = @payment_id`, args).Scan(&k.Suspended, &k.Double)
	if err != nil {
		return k, fmt.Errorf("read suspense of payment %s: %w", q.PaymentID, err)
	}
	return k, nil
}

func (q request) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"payment_id": q.PaymentID, "order_id": q.OrderID, "provider": q.Provider, "ref": q.Ref, "amount": q.Amount.Minor,
		"currency": q.Amount.Currency,
	}
}

// insertEntry adds an entry to a payment; a trigger sets its status and sums.
func insertEntry(ctx context.Context, tx pgx.Tx, q request, kind string) error {
	args := q.args()
	args["kind"] = kind
	_, err := tx.Exec(ctx, `
		INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
		VALUES (@payment_id, @kind, CASE @kind WHEN 'captured' THEN @amount::bigint ELSE 0 END, @currency, @provider, @ref)
		ON CONFLICT DO NOTHING`, args)
	if err != nil {
		return fmt.Errorf("enter that payment %s is %s: %w", q.PaymentID, kind, err)
	}
	return nil
}

// insertSuspense puts money that does not match its payment into suspense. Late money also closes the payment.
func insertSuspense(ctx context.Context, tx pgx.Tx, q request, amount money.Amount, why string) error {
	args := q.args()
	args["got"], args["got_currency"], args["why"] = amount.Minor, amount.Currency, why
	_, err := tx.Exec(ctx, `
		WITH closed AS (
			INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
			SELECT payment_id, 'voided', 0, currency, provider, provider_ref
			FROM payments.payments
			WHERE payment_id = @payment_id AND status = 'created' AND @why = 'late'
			ON CONFLICT DO NOTHING
		)
		INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency, why)
		VALUES (@payment_id, @order_id, @provider, @ref, @got, @got_currency, @why)`, args)
	if err != nil {
		return fmt.Errorf("suspend money of payment %s: %w", q.PaymentID, err)
	}
	return nil
}

// insertDouble puts money that was paid beyond the amount into suspense, and requests its refund.
func insertDouble(ctx context.Context, tx pgx.Tx, q request, extra money.Amount, r events.RefundRequested) error {
	args := q.args()
	args["extra"], args["refund_id"], args["reason"], args["by"] = extra.Minor, r.RefundID, r.Reason, r.By
	_, err := tx.Exec(ctx, `
		WITH kept AS (
			INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency, why)
			VALUES (@payment_id, @order_id, @provider, @ref, @extra, @currency, 'double')
			ON CONFLICT (payment_id, why) DO UPDATE SET amount_minor = suspense.amount_minor + @extra, returned_at = NULL
		)
		INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status, of_suspense)
		VALUES (@refund_id, @payment_id, @order_id, @extra, @currency, @reason, @by, 'requested', 'double')
		ON CONFLICT (refund_id) DO NOTHING`, args)
	if err != nil {
		return fmt.Errorf("suspend double payment of %s: %w", q.PaymentID, err)
	}
	return nil
}

// longestSilence is the longest interval between two queries of an open payment.
const longestSilence = "10 minutes"

// scheduleQuery sets the time of the next query of an open payment: the longer it is open, the longer the interval.
func (c checker) scheduleQuery(ctx context.Context, tx pgx.Tx, paymentID string) error {
	_, err := tx.Exec(ctx, `
		UPDATE payments.payments SET
			check_at = now() + LEAST(GREATEST(@silence::interval, (now() - created_at) / 4), GREATEST(@silence::interval, '`+longestSilence+`'))
		WHERE payment_id = @payment_id AND status = 'created' AND check_at <= now()`,
		pgx.NamedArgs{"payment_id": paymentID, "silence": c.silence})
	if err != nil {
		return fmt.Errorf("schedule query of payment %s: %w", paymentID, err)
	}
	return nil
}

// recordUnanswered stores the attempt, and schedules the next query after the shortest interval.
func (c checker) recordUnanswered(ctx context.Context, tx pgx.Tx, q request, reason string) error {
	args := q.args()
	args["result"], args["silence"], args["method"] = "unknown: "+reason, c.silence, q.Method
	_, err := tx.Exec(ctx, `
		WITH noted AS (
			INSERT INTO payments.attempts (key, payment_id, order_id, method, act, result, at)
			VALUES (@payment_id, @payment_id, @order_id, @method, 'query', @result, clock_timestamp())
		)
		UPDATE payments.payments SET check_at = now() + @silence::interval WHERE payment_id = @payment_id AND status = 'created'`, args)
	if err != nil {
		return fmt.Errorf("schedule query of payment %s: %w", q.PaymentID, err)
	}
	return nil
}
