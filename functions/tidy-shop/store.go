package tidyshop

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// batchSize is the maximum of rows that a statement deletes.
const batchSize = 50_000

// deleteBaskets deletes expired baskets with their lines, except those of open orders, which may be restored.
func deleteBaskets(ctx context.Context, tx pgx.Tx) (int64, error) {
	return deleteBatch(ctx, tx, "baskets", `
		DELETE FROM orders.baskets
		WHERE basket_id IN (
			SELECT basket_id FROM orders.baskets b
			WHERE expires_at < now()
			AND NOT EXISTS (SELECT FROM orders.orders o WHERE o.order_id = b.order_id AND o.deadline IS NOT NULL)
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// deleteKeys deletes idempotency keys after seven days.
func deleteKeys(ctx context.Context, tx pgx.Tx) (int64, error) {
	return deleteBatch(ctx, tx, "keys", `
		DELETE FROM bus.idempotency
		WHERE (caller, route, key) IN (
			SELECT caller, route, key FROM bus.idempotency
			WHERE created_at < now() - interval '7 days'
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// deleteSessions deletes sessions with their spent tokens thirty days after their end. Until then they are part of the
// user's data.
func deleteSessions(ctx context.Context, tx pgx.Tx) (int64, error) {
	return deleteBatch(ctx, tx, "sessions", `
		DELETE FROM accounts.sessions
		WHERE session_id IN (
			SELECT session_id FROM accounts.sessions
			WHERE expires_at < now() - interval '30 days'
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// deleteThrottles deletes counts of failed attempts after two days without an attempt.
func deleteThrottles(ctx context.Context, tx pgx.Tx) (int64, error) {
	return deleteBatch(ctx, tx, "throttles", `
		DELETE FROM accounts.throttles
		WHERE key IN (
			SELECT key FROM accounts.throttles
			WHERE touched_at < now() - interval '2 days'
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// deleteRates deletes the request counts of past minutes.
func deleteRates(ctx context.Context, tx pgx.Tx) (int64, error) {
	return deleteBatch(ctx, tx, "rates", `
		DELETE FROM bus.rates
		WHERE (caller, minute) IN (
			SELECT caller, minute FROM bus.rates
			WHERE minute < now() - interval '5 minutes'
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// deleteViews deletes the scores of products that are less than that of one view thirty days ago.
func deleteViews(ctx context.Context, tx pgx.Tx) (int64, error) {
	return deleteBatch(ctx, tx, "views", `
		DELETE FROM catalogue.viewed
		WHERE product_id IN (
			SELECT product_id FROM catalogue.viewed
			WHERE heat < extract(epoch FROM now())::float8 / 86400 - 30
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// deleteBatch runs a statement that deletes a batch; what names its rows in errors.
func deleteBatch(ctx context.Context, tx pgx.Tx, what, sql string) (int64, error) {
	tag, err := tx.Exec(ctx, sql, batchSize)
	if err != nil {
		return 0, fmt.Errorf("delete expired %s: %w", what, err)
	}
	return tag.RowsAffected(), nil
}

// deleteRecipients deletes the counts of mails of past days.
func deleteRecipients(ctx context.Context, tx pgx.Tx) (int64, error) {
	return deleteBatch(ctx, tx, "recipients", `
		DELETE FROM mail.recipients
		WHERE address_hash IN (
			SELECT address_hash FROM mail.recipients
			WHERE day < current_date
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}
