package createpayment

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// readOrders returns the requests for the orders that wait for a payment, and locks the orders, so that they do not end
// before the transaction does.
func readOrders(ctx context.Context, tx pgx.Tx, orders []string) (map[string]request, error) {
	rows, err := tx.Query(ctx, `
		SELECT order_id::text, order_number, created_at, payment_method, total_minor, currency, status = 'pending' AND payment = 'pending'
			AND NOT EXISTS (SELECT FROM payments.payments p WHERE p.order_id = o.order_id)
		FROM orders.orders o
		WHERE order_id = ANY (@orders::uuid[])
		ORDER BY order_id
		FOR SHARE OF o`, pgx.NamedArgs{"orders": orders})
	if err != nil {
		return nil, fmt.Errorf("read %d orders: %w", len(orders), err)
	}
	waiting := map[string]request{}
	var r request
	var pending bool
	_, err = pgx.ForEachRow(rows, []any{&r.OrderID, &r.OrderNumber, &r.At, &r.Method, &r.Amount.Minor, &r.Amount.Currency, &pending},
		func() error {
			if pending {
				r.At = r.At.UTC()
				waiting[r.OrderID] = r
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read %d orders: %w", len(orders), err)
	}
	return waiting, nil
}

// lockOrders locks orders, so that they do not end while their payments are stored, and returns those that have ended.
func lockOrders(ctx context.Context, tx pgx.Tx, orders []string) (ended map[string]bool, err error) {
	rows, err := tx.Query(ctx, `
		SELECT order_id::text, deadline IS NULL
		FROM orders.orders
		WHERE order_id = ANY (@orders::uuid[])
		ORDER BY order_id
		FOR SHARE`, pgx.NamedArgs{"orders": orders})
	if err != nil {
		return nil, fmt.Errorf("lock %d orders: %w", len(orders), err)
	}
	ended = map[string]bool{}
	var orderID string
	var isEnded bool
	_, err = pgx.ForEachRow(rows, []any{&orderID, &isEnded}, func() error {
		ended[orderID] = isEnded
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lock %d orders: %w", len(orders), err)
	}
	return ended, nil
}

// insertFailedAttempt records a call to the provider that failed.
func insertFailedAttempt(ctx context.Context, tx pgx.Tx, r request, result string) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		INSERT INTO payments.attempts (key, payment_id, order_id, method, act, result, at)
		VALUES (@payment_id, @payment_id, @order_id, @method, 'open', @result, clock_timestamp())`,
		pgx.NamedArgs{"payment_id": r.PaymentID, "order_id": r.OrderID, "method": r.Method, "result": result})
	if err != nil {
		return fmt.Errorf("note attempt at payment %s: %w", r.PaymentID, err)
	}
	return nil
}

// entryKinds returns the kinds of a payment's entries. A payment in suspense was never open for the shop.
func (o opened) entryKinds() []string {
	switch {
	case o.Suspended:
		return []string{"voided"}
	case o.Outcome == payment.Paid:
		return []string{"created", "captured"}
	case o.Outcome == payment.Declined:
		return []string{"created", "failed"}
	}
	return []string{"created"}
}

// insertPayments inserts payments with their attempts and entries, and suspended money; triggers set status and sums.
func insertPayments(ctx context.Context, tx pgx.Tx, payments []opened) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		WITH opened AS (
			SELECT *
			FROM unnest(@ids::uuid[], @orders::uuid[], @methods::text[], @providers::text[], @amounts::bigint[], @currencies::text[],
				@refs::text[], @uris::text[], @expires::timestamptz[], @results::text[], @suspended::boolean[],
				@checks::timestamptz[], @slips::jsonb[])
				AS p (payment_id, order_id, method, provider, amount_minor, currency, provider_ref, uri, expires_at, result, suspended,
					check_at, slip)
		), stored AS (
			INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, provider_ref, uri, expires_at,
				check_at, slip)
			SELECT payment_id, order_id, method, provider, amount_minor, currency, provider_ref, uri, expires_at, check_at, slip FROM opened
			RETURNING payment_id, amount_minor, currency, provider, provider_ref
		), attempted AS (
			INSERT INTO payments.attempts (key, payment_id, order_id, method, act, result, at)
			SELECT payment_id, payment_id, order_id, method, 'open', result, clock_timestamp() FROM opened
		), suspended AS (
			INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency)
			SELECT payment_id, order_id, provider, provider_ref, amount_minor, currency FROM opened WHERE suspended
		)
		INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
		SELECT payment_id, kind, CASE WHEN kind IN ('created', 'captured') THEN amount_minor ELSE 0 END, currency, provider, provider_ref
		FROM stored
		JOIN unnest(@entry_of::uuid[], @kinds::text[]) WITH ORDINALITY AS entry (payment_id, kind, n) USING (payment_id)
		ORDER BY n`,
		columns(payments))
	if err != nil {
		return fmt.Errorf("store %d payments: %w", len(payments), err)
	}
	return nil
}

// columns returns the payments by column, and the kinds of their entries.
func columns(payments []opened) pgx.NamedArgs {
	n := len(payments)
	ids, orders, methods, providers := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	currencies, refs, uris, results := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	amounts, expires, suspended := make([]int64, n), make([]*time.Time, n), make([]bool, n)
	checks, slips := make([]*time.Time, n), make([]*payment.Slip, n)
	var entryOf, kinds []string
	for i, p := range payments {
		ids[i], orders[i], methods[i], providers[i] = p.PaymentID, p.OrderID, p.Method, p.Provider
		currencies[i], refs[i], uris[i], results[i] = p.Amount.Currency, p.Ref, p.URI, string(p.Outcome)
		amounts[i], suspended[i] = p.Amount.Minor, p.Suspended
		if !p.ExpiresAt.IsZero() {
			expires[i] = &payments[i].ExpiresAt
		}
		if !p.CheckAt.IsZero() {
			checks[i] = &payments[i].CheckAt
		}
		slips[i] = p.Slip
		for _, kind := range p.entryKinds() {
			entryOf, kinds = append(entryOf, p.PaymentID), append(kinds, kind)
		}
	}
	return pgx.NamedArgs{
		"ids": ids, "orders": orders, "methods": methods, "providers": providers,
		"amounts": amounts, "currencies": currencies, "refs": refs, "uris": uris, "expires": expires,
		"results": results, "suspended": suspended, "entry_of": entryOf, "kinds": kinds,
		"checks": checks, "slips": slips,
	}
}
