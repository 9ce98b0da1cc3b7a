package releasestock

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// lockAllLevels locks the levels that many orders hold, as giveBack does for one.
const lockAllLevels = `
	SELECT FROM stock.levels
	WHERE level_id IN (SELECT level_id FROM stock.reservations WHERE order_id = ANY (@orders::uuid[]) AND status = 'held')
	ORDER BY sku, warehouse_id
	FOR NO KEY UPDATE`

// endHold says whether it was this that ended what was held by hand.
func endHold(ctx context.Context, tx pgx.Tx, holdID string) (held bool, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE stock.holds SET status = 'expired'
		WHERE hold_id = @hold_id AND status = 'held'`, pgx.NamedArgs{"hold_id": holdID})
	if err != nil {
		return false, fmt.Errorf("end reservation %s: %w", holdID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// giveBack ends the reservations of an order or of a hold; movements and levels follow by themselves. It locks the levels in
// the order of SKU and warehouse first, so that crossing orders never deadlock.
func giveBack(ctx context.Context, tx pgx.Tx, column, held string) ([]events.StockLine, error) {
	args := pgx.NamedArgs{"held": held}
	err := function.Queue(ctx, tx, -1, `
		SELECT FROM stock.levels
		WHERE level_id IN (SELECT level_id FROM stock.reservations WHERE `+column+` = @held AND status = 'held')
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, args)
	if err != nil {
		return nil, fmt.Errorf("lock levels held for %s: %w", held, err)
	}
	rows, err := tx.Query(ctx, `
		UPDATE stock.reservations r SET status = 'released', updated_at = now()
		FROM stock.levels l
		WHERE r.`+column+` = @held AND r.status = 'held' AND l.level_id = r.level_id
		RETURNING l.sku, l.warehouse_id::text AS warehouse_id, r.quantity`, args)
	if err != nil {
		return nil, fmt.Errorf("release stock held for %s: %w", held, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByPos[events.StockLine])
	if err != nil {
		return nil, fmt.Errorf("release stock held for %s: %w", held, err)
	}
	return lines, nil
}
