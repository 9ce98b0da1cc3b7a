package createpayment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// readOrders returns the requests for the orders that wait for a payment whose check is not put off, and locks the orders, so that they do not end
// before the transaction does.
func readOrders(ctx context.Context, tx pgx.Tx, orders []string) (map[string]*request, error) {
	rows, err := tx.Query(ctx, `
		SELECT order_id::text, order_number, created_at, payment_method, total_minor, currency, coalesce(authorisation_id::text, ''),
			status = 'pending' AND payment = 'pending' AND (payment_check_at <= stock_check_at OR payment_check_at <= now())
			AND NOT EXISTS (SELECT FROM payments.payments p WHERE p.order_id = o.order_id)
		FROM orders.orders o
		WHERE order_id = ANY (@orders::uuid[])
		ORDER BY order_id
		FOR SHARE OF o`, pgx.NamedArgs{"orders": orders})
	if err != nil {
		return nil, fmt.Errorf("read %d orders: %w", len(orders), err)
	}
	waiting := map[string]*request{}
	var r request
	var pending bool
	_, err = pgx.ForEachRow(rows, []any{
		&r.OrderID, &r.OrderNumber, &r.At, &r.Method, &r.Amount.Minor, &r.Amount.Currency, &r.Authorisation, &pending,
	}, func() error {
		if pending {
			found := r
			found.At = r.At.UTC()
			waiting[r.OrderID] = &found
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

// setAside decides the payments that are taken from authorisations, in the order of the orders' ids, and locks the authorisations. A
// trigger uses them when the payments are stored.
func setAside(ctx context.Context, tx pgx.Tx, waiting map[string]*request) error {
	free := map[string]int64{}
	for _, orderID := range slices.Sorted(maps.Keys(waiting)) {
		r := waiting[orderID]
		if r.Method != payment.PreAuthorised {
			r.Authorisation = ""
			continue
		}
		left, known := free[r.Authorisation]
		if !known {
			err := tx.QueryRow(ctx, `
				SELECT amount_minor - used_minor FROM payments.authorisations
				WHERE authorisation_id = nullif(@id, '')::uuid AND currency = @currency
				FOR NO KEY UPDATE`, pgx.NamedArgs{"id": r.Authorisation, "currency": r.Amount.Currency}).Scan(&left)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return fmt.Errorf("lock authorisation %s: %w", r.Authorisation, err)
			}
		}
		decided := payment.Authorised{}.Set(r.Request, left)
		if decided.Outcome == payment.SetAside {
			left -= r.Amount.Minor
		}
		r.Decided, free[r.Authorisation] = &decided, left
	}
	return nil
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
	case o.Outcome == payment.SetAside:
		return []string{"authorised"}
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
				@checks::timestamptz[], @slips::jsonb[], @authorisations::text[])
				AS p (payment_id, order_id, method, provider, amount_minor, currency, provider_ref, uri, expires_at, result, suspended,
					check_at, slip, authorisation)
		), stored AS (
			INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, provider_ref, uri, expires_at,
				check_at, slip, authorisation_id)
			SELECT payment_id, order_id, method, provider, amount_minor, currency, provider_ref, uri, expires_at, check_at, slip,
				nullif(authorisation, '')::uuid
			FROM opened
			RETURNING payment_id, amount_minor, currency, provider, provider_ref
		), attempted AS (
			INSERT INTO payments.attempts (key, payment_id, order_id, method, act, result, at)
			SELECT payment_id, payment_id, order_id, method, 'open', result, clock_timestamp() FROM opened
		), suspended AS (
			INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency)
			SELECT payment_id, order_id, provider, provider_ref, amount_minor, currency FROM opened WHERE suspended
		)
		INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
		SELECT payment_id, kind, CASE WHEN kind IN ('created', 'authorised', 'captured') THEN amount_minor ELSE 0 END, currency, provider, provider_ref
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
	checks, slips, authorisations := make([]*time.Time, n), make([]*payment.Slip, n), make([]string, n)
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
		slips[i], authorisations[i] = p.Slip, p.Authorisation
		for _, kind := range p.entryKinds() {
			entryOf, kinds = append(entryOf, p.PaymentID), append(kinds, kind)
		}
	}
	return pgx.NamedArgs{
		"ids": ids, "orders": orders, "methods": methods, "providers": providers,
		"amounts": amounts, "currencies": currencies, "refs": refs, "uris": uris, "expires": expires,
		"results": results, "suspended": suspended, "entry_of": entryOf, "kinds": kinds,
		"checks": checks, "slips": slips, "authorisations": authorisations,
	}
}
