package reservestock

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/stock"
)

type order struct {
	Due      bool
	Deadline time.Time
	OnSale   map[string]string // the default warehouse of each product and variant that is still sold
}

// lockOrder keeps the order from ending, and everybody else from holding for it, while its stock is being held. A check that
// was not put off is due whatever the clocks say.
func lockOrder(ctx context.Context, tx pgx.Tx, orderID string, lines []events.PlacedLine) (order, error) {
	products, things := make([]string, len(lines)), make([]string, len(lines))
	for i, line := range lines {
		products[i], things[i] = line.ProductID, line.Thing()
	}
	var o order
	err := tx.QueryRow(ctx, `
		SELECT status = 'pending' AND stock = 'pending' AND (stock_check_at <= clock_timestamp() OR stock_check_at <= created_at),
			coalesce(deadline, now()), (
				SELECT coalesce(json_object_agg(thing, s.warehouse_id), '{}')
				FROM unnest(@products::uuid[], @things::uuid[]) AS line (product_id, thing)
				JOIN catalogue.products p USING (product_id)
				JOIN catalogue.stores s USING (store_id)
				WHERE p.active AND p.deleted_at IS NULL AND s.participating
				AND NOT EXISTS (SELECT FROM catalogue.variants v WHERE v.variant_id = thing AND v.deleted_at IS NOT NULL))
		FROM orders.orders o
		WHERE order_id = @order_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"order_id": orderID, "products": products, "things": things}).Scan(&o.Due, &o.Deadline, &o.OnSale)
	if err != nil {
		return o, fmt.Errorf("lock order %s: %w", orderID, err)
	}
	return o, nil
}

// lockLevels locks the levels of the lines in the order of SKU and warehouse. held says that the order has its stock: it is
// asked for once the order is locked, since whoever held the lock before may have taken it.
func lockLevels(ctx context.Context, tx pgx.Tx, orderID string, lines []events.PlacedLine) (levels stock.Levels, held bool, err error) {
	skus := make([]string, len(lines))
	for i, line := range lines {
		skus[i] = line.SKU
	}
	rows, err := tx.Query(ctx, `
		SELECT level_id::text, sku, warehouse_id::text, (
			SELECT priority FROM stock.warehouses w WHERE w.warehouse_id = l.warehouse_id), on_hand, reserved,
			EXISTS (SELECT FROM stock.reservations WHERE order_id = @order_id)
		FROM stock.levels l
		WHERE sku = ANY (@skus)
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"order_id": orderID, "skus": skus})
	if err != nil {
		return nil, false, fmt.Errorf("lock levels: %w", err)
	}
	var l stock.Level
	_, err = pgx.ForEachRow(rows, []any{&l.ID, &l.SKU, &l.WarehouseID, &l.Priority, &l.OnHand, &l.Reserved, &held}, func() error {
		levels = append(levels, l)
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("lock levels: %w", err)
	}
	return levels, held, nil
}

// lockAllLevels is lockLevels for many orders at once.
const lockAllLevels = `
	SELECT FROM stock.levels
	WHERE sku IN (SELECT sku FROM orders.lines WHERE order_id = ANY (@orders::uuid[]))
	ORDER BY sku, warehouse_id
	FOR NO KEY UPDATE`

// hold makes the reservations; movements and levels follow by themselves.
func hold(ctx context.Context, tx pgx.Tx, orderID string, takes []stock.Take) error {
	lines, levels, quantities := make([]int, len(takes)), make([]string, len(takes)), make([]int64, len(takes))
	for i, take := range takes {
		lines[i], levels[i], quantities[i] = take.Line, take.LevelID, take.Quantity
	}
	err := function.Queue(ctx, tx, -1, `
		INSERT INTO stock.reservations (order_id, line, level_id, quantity)
		SELECT @order_id, line, level_id, quantity
		FROM unnest(@lines::integer[], @levels::uuid[], @quantities::bigint[]) AS take (line, level_id, quantity)`,
		pgx.NamedArgs{"order_id": orderID, "lines": lines, "levels": levels, "quantities": quantities})
	if err != nil {
		return fmt.Errorf("hold stock for order %s: %w", orderID, err)
	}
	return nil
}
