package returnpoints

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
)

// releaseHolds releases what orders hold, and returns the events of those that held something until now, by order.
func releaseHolds(ctx context.Context, tx pgx.Tx, orders []string) (map[string]events.PointsReturned, error) {
	rows, err := tx.Query(ctx, `
		INSERT INTO points.entries (customer_id, kind, points, order_id, by)
		SELECT customer_id, 'release', sum(held), order_id, @by
		FROM points.entries
		WHERE order_id = ANY (@orders::uuid[])
		GROUP BY customer_id, order_id
		HAVING sum(held) > 0
		ORDER BY customer_id, order_id
		RETURNING customer_id::text, order_id::text, points`, pgx.NamedArgs{"orders": orders, "by": name})
	if err != nil {
		return nil, fmt.Errorf("release points of %d orders: %w", len(orders), err)
	}
	return collect(rows)
}

// returnWithRefunds returns points with refunds, each refund once, and at most what their orders spent. An order that was not completed has
// spent nothing: what it holds is released. It returns an error for an order that was completed and has not spent its points yet.
func returnWithRefunds(
	ctx context.Context, tx pgx.Tx, refunds []events.RefundRequested, life time.Duration,
) (map[string]events.PointsReturned, error) {
	n := len(refunds)
	ids, orders, points := make([]string, n), make([]string, n), make([]int64, n)
	for i, r := range refunds {
		ids[i], orders[i], points[i] = r.RefundID, r.OrderID, r.Points
	}
	args := pgx.NamedArgs{"refunds": ids, "orders": orders, "points": points, "by": name, "life": life}
	var unsettled int
	err := tx.QueryRow(ctx, `
		SELECT count(*)
		FROM orders.orders o
		WHERE order_id = ANY (@orders::uuid[]) AND status = 'completed'
		AND (SELECT sum(held) FROM points.entries e WHERE e.order_id = o.order_id) > 0`, args).Scan(&unsettled)
	if err == nil && unsettled > 0 {
		err = errors.New("an order has not spent its points yet")
	}
	if err != nil {
		return nil, fmt.Errorf("return points with %d refunds: %w", n, err)
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO points.entries (customer_id, kind, points, order_id, ref, by, expires_at)
		SELECT o.customer_id, 'release', r.points, order_id, r.refund_id, @by, CASE WHEN o.status = 'completed' THEN now() + @life::interval END
		FROM unnest(@refunds::text[], @orders::uuid[], @points::bigint[]) AS r (refund_id, order_id, points)
		JOIN orders.orders o USING (order_id)
		WHERE o.points > 0
		ORDER BY o.customer_id, order_id
		RETURNING customer_id::text, order_id::text, points`, args)
	if err != nil {
		return nil, fmt.Errorf("return points with %d refunds: %w", n, err)
	}
	return collect(rows)
}

func collect(rows pgx.Rows) (map[string]events.PointsReturned, error) {
	returned := map[string]events.PointsReturned{}
	var e events.PointsReturned
	_, err := pgx.ForEachRow(rows, []any{&e.CustomerID, &e.OrderID, &e.Points}, func() error {
		returned[e.OrderID] = e
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("return points: %w", err)
	}
	return returned, nil
}
