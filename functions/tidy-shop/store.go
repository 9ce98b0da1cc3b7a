package tidyshop

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// batch is how many rows one statement deletes at the most.
const batch = 50_000

// baskets go when their time is over; their lines go with them. The basket of an open order may be restored, and stays.
func baskets(ctx context.Context, tx pgx.Tx) (int64, error) {
	return gone(ctx, tx, "baskets", `
		DELETE FROM orders.baskets
		WHERE basket_id IN (
			SELECT basket_id FROM orders.baskets b
			WHERE expires_at < now()
			AND NOT EXISTS (SELECT FROM orders.orders o WHERE o.order_id = b.order_id AND o.deadline IS NOT NULL)
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// keys of calls are promised for seven days.
func keys(ctx context.Context, tx pgx.Tx) (int64, error) {
	return gone(ctx, tx, "keys", `
		DELETE FROM bus.idempotency
		WHERE (caller, route, key) IN (
			SELECT caller, route, key FROM bus.idempotency
			WHERE created_at < now() - interval '7 days'
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// sessions are shown to their owners for thirty days after they ended; spent tokens go with them.
func sessions(ctx context.Context, tx pgx.Tx) (int64, error) {
	return gone(ctx, tx, "sessions", `
		DELETE FROM accounts.sessions
		WHERE session_id IN (
			SELECT session_id FROM accounts.sessions
			WHERE expires_at < now() - interval '30 days'
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// throttles count nothing any more a day after the last try.
func throttles(ctx context.Context, tx pgx.Tx) (int64, error) {
	return gone(ctx, tx, "throttles", `
		DELETE FROM accounts.throttles
		WHERE key IN (
			SELECT key FROM accounts.throttles
			WHERE touched_at < now() - interval '2 days'
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// rates are of minutes; those of before the last are of no use.
func rates(ctx context.Context, tx pgx.Tx) (int64, error) {
	return gone(ctx, tx, "rates", `
		DELETE FROM bus.rates
		WHERE (caller, minute) IN (
			SELECT caller, minute FROM bus.rates
			WHERE minute < now() - interval '5 minutes'
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

// views have cooled down when they are worth less than one of thirty days ago.
func views(ctx context.Context, tx pgx.Tx) (int64, error) {
	return gone(ctx, tx, "views", `
		DELETE FROM catalogue.viewed
		WHERE product_id IN (
			SELECT product_id FROM catalogue.viewed
			WHERE heat < extract(epoch FROM now())::float8 / 86400 - 30
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`)
}

func gone(ctx context.Context, tx pgx.Tx, what, sql string) (int64, error) {
	tag, err := tx.Exec(ctx, sql, batch)
	if err != nil {
		return 0, fmt.Errorf("delete %s that ran out: %w", what, err)
	}
	return tag.RowsAffected(), nil
}
