package reconcilepayments

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/payment"
)

// readRecorded returns the payments that the provider's list may have: a payment is opened there a little later than here.
// Late money is recorded in suspense and, once it is refunded, as captured too.
func readRecorded(ctx context.Context, tx pgx.Tx, q request) ([]payment.Recorded, error) {
	rows, err := tx.Query(ctx, `
		SELECT p.payment_id::text, p.order_id::text, p.provider_ref, p.status = 'created',
			greatest(p.captured_minor, s.first) + s.double, coalesce(s.currency, p.currency), r.refunded,
			p.created_at BETWEEN @since::timestamptz + interval '1 hour' AND @begun::timestamptz - interval '1 minute',
			greatest(p.updated_at, s.changed, r.changed) >= @begun OR r.requested
		FROM payments.payments p, LATERAL (
			SELECT coalesce(sum(amount_minor) FILTER (WHERE why <> 'double'), 0)::bigint AS first,
				coalesce(sum(amount_minor) FILTER (WHERE why = 'double'), 0)::bigint AS double, min(currency) AS currency,
				max(greatest(came_at, returned_at)) AS changed
			FROM payments.suspense WHERE payment_id = p.payment_id
		) AS s, LATERAL (
			SELECT coalesce(sum(amount_minor) FILTER (WHERE status = 'refunded'), 0)::bigint AS refunded,
				coalesce(bool_or(status = 'requested'), false) AS requested, max(updated_at) AS changed
			FROM payments.refunds WHERE payment_id = p.payment_id
		) AS r
		WHERE p.provider = @provider AND p.created_at >= @since::timestamptz - interval '1 hour' AND p.check_at IS NOT NULL`,
		pgx.NamedArgs{"provider": q.Provider, "since": q.Since, "begun": q.Begun})
	if err != nil {
		return nil, fmt.Errorf("read payments of %s: %w", q.Provider, err)
	}
	recorded, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p payment.Recorded, err error) {
		err = row.Scan(&p.PaymentID, &p.OrderID, &p.Ref, &p.Open, &p.Received.Minor, &p.Received.Currency, &p.Refunded, &p.Listed, &p.Moving)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read payments of %s: %w", q.Provider, err)
	}
	return recorded, nil
}

// maxStored is how many differences of a comparison are stored and queried. The next comparison finds the rest.
const maxStored = 500

func insertReconciliation(ctx context.Context, tx pgx.Tx, due events.ReconciliationDue, compared int, differences []payment.Difference) error {
	if differences == nil {
		differences = []payment.Difference{}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO payments.reconciliations (reconciliation_id, provider, since, compared, differences)
		VALUES (@id, @provider, @since, @compared, @differences)`, pgx.NamedArgs{
		"id": due.ReconciliationID, "provider": due.Provider, "since": due.Since, "compared": compared,
		"differences": differences,
	})
	if err != nil {
		return fmt.Errorf("store reconciliation of %s: %w", due.Provider, err)
	}
	return nil
}
