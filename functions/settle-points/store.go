package settlepoints

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
)

// insertSettlements stores what orders spend and earn, each once, and returns the events by order. Customers without an account, such as
// guests, have no points, and a closed account earns none.
func insertSettlements(
	ctx context.Context, tx pgx.Tx, all []settlement, life time.Duration,
) (map[string]*events.PointsSettled, error) {
	n := len(all)
	customers, orders, spent, earned := make([]string, n), make([]string, n), make([]int64, n), make([]int64, n)
	for i, s := range all {
		customers[i], orders[i], spent[i], earned[i] = s.CustomerID, s.OrderID, s.Spent, s.Earned
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO points.entries (customer_id, kind, points, order_id, by, expires_at)
		SELECT s.customer_id, kind, points, order_id, @by, CASE kind WHEN 'earn' THEN now() + @life::interval END
		FROM unnest(@customers::uuid[], @orders::uuid[], @spent::bigint[], @earned::bigint[]) AS s (customer_id, order_id, spent, earned)
		JOIN accounts.users u ON u.user_id = s.customer_id
		CROSS JOIN LATERAL (VALUES ('spend', spent), ('earn', earned)) AS entry (kind, points)
		WHERE points > 0 AND (kind = 'spend' OR u.closed_at IS NULL)
		ORDER BY customer_id, order_id, kind DESC
		RETURNING customer_id::text, order_id::text, kind, points`, pgx.NamedArgs{
		"customers": customers, "orders": orders, "spent": spent, "earned": earned, "by": name, "life": life,
	})
	if err != nil {
		return nil, fmt.Errorf("settle points of %d orders: %w", n, err)
	}
	settled := map[string]*events.PointsSettled{}
	var customerID, orderID, kind string
	var points int64
	_, err = pgx.ForEachRow(rows, []any{&customerID, &orderID, &kind, &points}, func() error {
		if settled[orderID] == nil {
			settled[orderID] = &events.PointsSettled{CustomerID: customerID, OrderID: orderID}
		}
		if kind == "spend" {
			settled[orderID].Spent = points
		} else {
			settled[orderID].Earned = points
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("settle points of %d orders: %w", n, err)
	}
	return settled, nil
}

// earnings are what a completed order earned.
type earnings struct {
	CustomerID string
	PaidMinor  int64
	Earned     int64
	Settled    bool
}

// readEarned returns the earnings of those orders that were completed and have an account.
func readEarned(ctx context.Context, tx pgx.Tx, orders []string) (map[string]earnings, error) {
	rows, err := tx.Query(ctx, `
		SELECT o.order_id::text, o.customer_id::text, o.total_minor, coalesce(e.points, 0), e.points IS NOT NULL
		FROM orders.orders o
		JOIN accounts.users u ON u.user_id = o.customer_id AND u.closed_at IS NULL
		LEFT JOIN points.entries e ON e.order_id = o.order_id AND e.kind = 'earn'
		WHERE o.order_id = ANY (@orders::uuid[]) AND o.status = 'completed'`, pgx.NamedArgs{"orders": orders})
	if err != nil {
		return nil, fmt.Errorf("read earnings of %d orders: %w", len(orders), err)
	}
	found := map[string]earnings{}
	var orderID string
	var e earnings
	_, err = pgx.ForEachRow(rows, []any{&orderID, &e.CustomerID, &e.PaidMinor, &e.Earned, &e.Settled}, func() error {
		found[orderID] = e
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read earnings of %d orders: %w", len(orders), err)
	}
	return found, nil
}

// insertReclaims stores what refunds take back, each once, and returns the events by refund.
func insertReclaims(ctx context.Context, tx pgx.Tx, all []reclaim) (map[string]events.PointsReclaimed, error) {
	n := len(all)
	customers, orders, refunds, points := make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	for i, r := range all {
		customers[i], orders[i], refunds[i], points[i] = r.CustomerID, r.OrderID, r.RefundID, r.Points
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO points.entries (customer_id, kind, points, order_id, ref, by)
		SELECT customer_id, 'reclaim', points, order_id, refund_id, @by
		FROM unnest(@customers::uuid[], @orders::uuid[], @refunds::text[], @points::bigint[]) AS r (customer_id, order_id, refund_id, points)
		ORDER BY customer_id, order_id
		RETURNING ref, customer_id::text, order_id::text, points, debt`, pgx.NamedArgs{
		"customers": customers, "orders": orders, "refunds": refunds, "points": points, "by": name,
	})
	if err != nil {
		return nil, fmt.Errorf("reclaim points with %d refunds: %w", n, err)
	}
	reclaimed := map[string]events.PointsReclaimed{}
	var refundID string
	var e events.PointsReclaimed
	_, err = pgx.ForEachRow(rows, []any{&refundID, &e.CustomerID, &e.OrderID, &e.Points, &e.Debt}, func() error {
		reclaimed[refundID] = e
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reclaim points with %d refunds: %w", n, err)
	}
	return reclaimed, nil
}

// expireLots removes lots that have run out, and returns how many points their customers lose with them. The trigger of the entries decides
// how many are left: those that came first are used first.
func expireLots(ctx context.Context, tx pgx.Tx, lots []string) (map[string]int64, error) {
	rows, err := tx.Query(ctx, `
		WITH gone AS (
			DELETE FROM points.lots
			WHERE entry_id = ANY (@lots::uuid[]) AND expires_at <= now()
			RETURNING customer_id, points
		)
		INSERT INTO points.entries (customer_id, kind, points, by)
		SELECT customer_id, 'expire', sum(points), @by FROM gone GROUP BY customer_id ORDER BY customer_id
		RETURNING customer_id::text, points`, pgx.NamedArgs{"lots": lots, "by": name})
	if err != nil {
		return nil, fmt.Errorf("expire %d lots: %w", len(lots), err)
	}
	expired := map[string]int64{}
	var customerID string
	var points int64
	_, err = pgx.ForEachRow(rows, []any{&customerID, &points}, func() error {
		expired[customerID] = points
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("expire %d lots: %w", len(lots), err)
	}
	return expired, nil
}
