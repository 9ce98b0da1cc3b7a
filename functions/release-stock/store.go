package releasestock

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// lockLevels locks what the order holds in the order of SKU and warehouse, so that crossing orders never deadlock.
func lockLevels(ctx context.Context, tx pgx.Tx, orderID string) error {
	err := function.Queue(ctx, tx, -1, `
		SELECT FROM stock.levels
		WHERE level_id IN (SELECT level_id FROM stock.reservations WHERE order_id = @order_id AND status = 'held')
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"order_id": orderID})
	if err != nil {
		return fmt.Errorf("lock levels of order %s: %w", orderID, err)
	}
	return nil
}

// giveBack ends the order's reservations; movements and levels follow by themselves.
func giveBack(ctx context.Context, tx pgx.Tx, orderID string) ([]events.StockLine, error) {
	rows, err := tx.Query(ctx, `
		UPDATE stock.reservations r SET status = 'released', updated_at = now()
		FROM stock.levels l
		WHERE r.order_id = @order_id AND r.status = 'held' AND l.level_id = r.level_id
		RETURNING l.sku, l.warehouse_id::text AS warehouse_id, r.quantity`, pgx.NamedArgs{"order_id": orderID})
	if err != nil {
		return nil, fmt.Errorf("release stock of order %s: %w", orderID, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByPos[events.StockLine])
	if err != nil {
		return nil, fmt.Errorf("release stock of order %s: %w", orderID, err)
	}
	return lines, nil
}
