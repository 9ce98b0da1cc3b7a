package movestock

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// lockLevels locks the levels from which orders have reserved stock, in the order of SKU and warehouse.
func lockLevels(ctx context.Context, tx pgx.Tx, orders []string) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		SELECT FROM stock.levels
		WHERE level_id IN (SELECT level_id FROM stock.reservations WHERE order_id = ANY (@orders::uuid[]))
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"orders": orders})
	if err != nil {
		return fmt.Errorf("lock levels of %d orders: %w", len(orders), err)
	}
	return nil
}

// bookOut marks the reservations of orders as shipped; triggers lower the quantity and the reserved quantity of the
// levels. It returns the lines by order.
func bookOut(ctx context.Context, tx pgx.Tx, orders []string) (map[string][]events.StockLine, error) {
	return queryLines(ctx, tx, "book out", orders, `
		UPDATE stock.reservations r SET status = 'shipped', updated_at = now()
		FROM stock.levels l
		WHERE r.order_id = ANY (@orders::uuid[]) AND r.status = 'held' AND l.level_id = r.level_id
		RETURNING r.order_id::text, l.sku, l.warehouse_id::text, r.quantity`)
}

// bookIn books shipped stock back into its levels, once. It returns the lines by order.
func bookIn(ctx context.Context, tx pgx.Tx, orders []string) (map[string][]events.StockLine, error) {
	return queryLines(ctx, tx, "book in", orders, `
		WITH back AS (
			INSERT INTO stock.movements (level_id, kind, quantity, reservation_id, reference, reason)
			SELECT level_id, 'inbound', quantity, reservation_id, order_id, 'returned'
			FROM stock.reservations WHERE order_id = ANY (@orders::uuid[]) AND status = 'shipped'
			ON CONFLICT (reservation_id, kind) WHERE reservation_id IS NOT NULL DO NOTHING
			RETURNING reference, level_id, quantity
		)
		SELECT back.reference, l.sku, l.warehouse_id::text, back.quantity FROM back JOIN stock.levels l USING (level_id)`)
}

// queryLines runs a statement and returns its lines by order; verb names it in errors.
func queryLines(
	ctx context.Context, tx pgx.Tx, verb string, orders []string, sql string,
) (map[string][]events.StockLine, error) {
	rows, err := tx.Query(ctx, sql, pgx.NamedArgs{"orders": orders})
	if err != nil {
		return nil, fmt.Errorf("%s stock of %d orders: %w", verb, len(orders), err)
	}
	moved := map[string][]events.StockLine{}
	var orderID string
	var line events.StockLine
	_, err = pgx.ForEachRow(rows, []any{&orderID, &line.SKU, &line.WarehouseID, &line.Quantity}, func() error {
		moved[orderID] = append(moved[orderID], line)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s stock of %d orders: %w", verb, len(orders), err)
	}
	return moved, nil
}
