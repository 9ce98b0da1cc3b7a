package reservestock

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/stock"
)

type order struct {
	ID       string
	Due      bool
	Deadline time.Time
	OnSale   map[string]string // the default warehouse of each product and variant that is still sold
}

// lockOrders locks the orders, so that they do not end and no other instance reserves for them meanwhile, and returns
// them by id. A check without delay is due even if the clocks of the shop and the database differ.
func lockOrders(ctx context.Context, tx pgx.Tx, batch []stockRequest) (map[string]order, error) {
	ids := make([]string, len(batch))
	var of, products, things []string
	for i, w := range batch {
		ids[i] = w.OrderID
		for _, line := range w.Lines {
			of = append(of, w.OrderID)
			products = append(products, line.ProductID)
			things = append(things, line.Thing())
		}
	}
	rows, err := tx.Query(ctx, `
		WITH locked AS (
			SELECT order_id, coalesce(deadline, now()) AS deadline,
				status = 'pending' AND stock = 'pending' AND (stock_check_at <= clock_timestamp() OR stock_check_at <= created_at) AS due
			FROM orders.orders
			WHERE order_id = ANY (@ids::uuid[])
			ORDER BY order_id
			FOR NO KEY UPDATE
		), sold AS (
			SELECT order_id, json_object_agg(thing, s.warehouse_id) AS things
			FROM unnest(@of::uuid[], @products::uuid[], @things::uuid[]) AS line (order_id, product_id, thing)
			JOIN catalogue.products p USING (product_id)
			JOIN catalogue.stores s USING (store_id)
			WHERE p.active AND p.deleted_at IS NULL AND s.participating
			AND NOT EXISTS (SELECT FROM catalogue.variants v WHERE v.variant_id = thing AND v.deleted_at IS NOT NULL)
			GROUP BY order_id
		)
		SELECT order_id::text, due, deadline, coalesce(things, '{}')
		FROM locked LEFT JOIN sold USING (order_id)`,
		pgx.NamedArgs{"ids": ids, "of": of, "products": products, "things": things})
	if err != nil {
		return nil, fmt.Errorf("lock orders: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[order])
	if err != nil {
		return nil, fmt.Errorf("lock orders: %w", err)
	}
	orders := make(map[string]order, len(found))
	for _, o := range found {
		orders[o.ID] = o
	}
	return orders, nil
}

// lockLevels locks the levels of all lines in the order of SKU and warehouse. held are the orders that have their stock
// already; they are read after the orders are locked, since the previous owner of the lock may have reserved it.
func lockLevels(
	ctx context.Context, tx pgx.Tx, batch []stockRequest,
) (levels stock.Levels, held map[string]bool, err error) {
	ids := make([]string, len(batch))
	var skus []string
	for i, w := range batch {
		ids[i] = w.OrderID
		for _, line := range w.Lines {
			skus = append(skus, line.SKU)
		}
	}
	rows, err := tx.Query(ctx, `
		SELECT level_id::text, sku, warehouse_id::text, (
			SELECT priority FROM stock.warehouses w WHERE w.warehouse_id = l.warehouse_id), on_hand, reserved, (
			SELECT array_agg(order_id::text) FROM stock.reservations WHERE order_id = ANY (@ids::uuid[]))
		FROM stock.levels l
		WHERE sku = ANY (@skus)
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"ids": ids, "skus": skus})
	if err != nil {
		return nil, nil, fmt.Errorf("lock levels: %w", err)
	}
	held = map[string]bool{}
	var l stock.Level
	var holding []string
	_, err = pgx.ForEachRow(rows, []any{&l.ID, &l.SKU, &l.WarehouseID, &l.Priority, &l.OnHand, &l.Reserved, &holding},
		func() error {
			levels = append(levels, l)
			for _, orderID := range holding {
				held[orderID] = true
			}
			return nil
		})
	if err != nil {
		return nil, nil, fmt.Errorf("lock levels: %w", err)
	}
	return levels, held, nil
}

// allocation is an allocation for an order.
type allocation struct {
	OrderID string
	stock.Allocation
}

// insertReservations inserts the reservations; triggers write movements and levels.
func insertReservations(ctx context.Context, tx pgx.Tx, allocations []allocation) error {
	n := len(allocations)
	if n == 0 {
		return nil
	}
	orders, lines, levels, quantities := make([]string, n), make([]int, n), make([]string, n), make([]int64, n)
	for i, t := range allocations {
		orders[i], lines[i], levels[i], quantities[i] = t.OrderID, t.Line, t.LevelID, t.Quantity
	}
	err := pgbatch.Enqueue(ctx, tx, -1, `
		INSERT INTO stock.reservations (order_id, line, level_id, quantity)
		SELECT order_id, line, level_id, quantity
		FROM unnest(@orders::uuid[], @lines::integer[], @levels::uuid[], @quantities::bigint[]) AS take (order_id, line, level_id, quantity)`,
		pgx.NamedArgs{"orders": orders, "lines": lines, "levels": levels, "quantities": quantities})
	if err != nil {
		return fmt.Errorf("hold stock for %d orders: %w", n, err)
	}
	return nil
}
