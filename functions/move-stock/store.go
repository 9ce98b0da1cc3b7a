package movestock

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// lockAllLevels locks the levels that many orders hold, as lockLevels does for one.
const lockAllLevels = `
	SELECT FROM stock.levels
	WHERE level_id IN (SELECT level_id FROM stock.reservations WHERE order_id = ANY (@orders::uuid[]))
	ORDER BY sku, warehouse_id
	FOR NO KEY UPDATE`

// lockLevels locks the levels that the order's goods came from, in the order of SKU and warehouse.
func lockLevels(ctx context.Context, tx pgx.Tx, orderID string) error {
	err := function.Queue(ctx, tx, -1, `
		SELECT FROM stock.levels
		WHERE level_id IN (SELECT level_id FROM stock.reservations WHERE order_id = @order_id)
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"order_id": orderID})
	if err != nil {
		return fmt.Errorf("lock levels of order %s: %w", orderID, err)
	}
	return nil
}

// bookOut ships the order's reservations: quantity and reserved fall by the same number.
func bookOut(ctx context.Context, tx pgx.Tx, orderID string) ([]events.StockLine, error) {
	return moved(ctx, tx, `
		UPDATE stock.reservations r SET status = 'shipped', updated_at = now()
		FROM stock.levels l
		WHERE r.order_id = @order_id AND r.status = 'held' AND l.level_id = r.level_id
		RETURNING l.sku, l.warehouse_id::text, r.quantity`, "book out", orderID)
}

// bookIn puts what was shipped on the shelf it came from, once.
func bookIn(ctx context.Context, tx pgx.Tx, orderID string) ([]events.StockLine, error) {
	return moved(ctx, tx, `
		WITH back AS (
			INSERT INTO stock.movements (level_id, kind, quantity, reservation_id, reference, reason)
			SELECT level_id, 'inbound', quantity, reservation_id, order_id, 'returned'
			FROM stock.reservations WHERE order_id = @order_id AND status = 'shipped'
			ON CONFLICT (reservation_id, kind) WHERE reservation_id IS NOT NULL DO NOTHING
			RETURNING level_id, quantity
		)
		SELECT l.sku, l.warehouse_id::text, back.quantity FROM back JOIN stock.levels l USING (level_id)`, "book in", orderID)
}

func moved(ctx context.Context, tx pgx.Tx, sql, verb, orderID string) ([]events.StockLine, error) {
	rows, err := tx.Query(ctx, sql, pgx.NamedArgs{"order_id": orderID})
	if err != nil {
		return nil, fmt.Errorf("%s goods of order %s: %w", verb, orderID, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByPos[events.StockLine])
	if err != nil {
		return nil, fmt.Errorf("%s goods of order %s: %w", verb, orderID, err)
	}
	return lines, nil
}
