package reservestock

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/stock"
)

type order struct {
	Due      bool
	Deadline time.Time
	OnSale   map[string]string // the default warehouse of each product that is still sold
}

// lockOrder keeps the order from ending while its stock is being held.
func lockOrder(ctx context.Context, tx pgx.Tx, orderID string, lines []events.PlacedLine) (order, error) {
	products := make([]string, len(lines))
	for i, line := range lines {
		products[i] = line.ProductID
	}
	var o order
	err := tx.QueryRow(ctx, `
		SELECT status = 'pending' AND stock = 'pending' AND stock_check_at <= clock_timestamp()
				AND NOT EXISTS (SELECT FROM stock.reservations r WHERE r.order_id = o.order_id),
			coalesce(deadline, now()), (
				SELECT coalesce(json_object_agg(p.product_id, s.warehouse_id), '{}')
				FROM catalogue.products p JOIN catalogue.stores s USING (store_id)
				WHERE p.product_id = ANY (@products::uuid[]) AND p.active AND p.deleted_at IS NULL AND s.participating)
		FROM orders.orders o
		WHERE order_id = @order_id
		FOR SHARE`, pgx.NamedArgs{"order_id": orderID, "products": products}).Scan(&o.Due, &o.Deadline, &o.OnSale)
	if err != nil {
		return o, fmt.Errorf("lock order %s: %w", orderID, err)
	}
	return o, nil
}

// lockLevels locks the levels of the lines in the order of SKU and warehouse.
func lockLevels(ctx context.Context, tx pgx.Tx, lines []events.PlacedLine) (stock.Levels, error) {
	skus := make([]string, len(lines))
	for i, line := range lines {
		skus[i] = line.SKU
	}
	rows, err := tx.Query(ctx, `
		SELECT level_id::text, sku, warehouse_id::text, (
			SELECT priority FROM stock.warehouses w WHERE w.warehouse_id = l.warehouse_id), on_hand, reserved
		FROM stock.levels l
		WHERE sku = ANY (@skus)
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"skus": skus})
	if err != nil {
		return nil, fmt.Errorf("lock levels: %w", err)
	}
	levels, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stock.Level])
	if err != nil {
		return nil, fmt.Errorf("lock levels: %w", err)
	}
	return levels, nil
}

// hold makes the reservations; movements and levels follow by themselves.
func hold(ctx context.Context, tx pgx.Tx, orderID string, takes []stock.Take) error {
	lines, levels, quantities := make([]int, len(takes)), make([]string, len(takes)), make([]int64, len(takes))
	for i, take := range takes {
		lines[i], levels[i], quantities[i] = take.Line, take.LevelID, take.Quantity
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO stock.reservations (order_id, line, level_id, quantity)
		SELECT @order_id, line, level_id, quantity
		FROM unnest(@lines::integer[], @levels::uuid[], @quantities::bigint[]) AS take (line, level_id, quantity)`,
		pgx.NamedArgs{"order_id": orderID, "lines": lines, "levels": levels, "quantities": quantities})
	if err != nil {
		return fmt.Errorf("hold stock for order %s: %w", orderID, err)
	}
	return nil
}
