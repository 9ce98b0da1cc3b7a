package releasestock

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// expireHolds expires the holds that are still held, and returns their ids.
func expireHolds(ctx context.Context, tx pgx.Tx, holds []string) (expired []string, err error) {
	rows, err := tx.Query(ctx, `
		UPDATE stock.holds SET status = 'expired'
		WHERE hold_id IN (SELECT hold_id FROM stock.holds WHERE hold_id = ANY (@holds::uuid[]) AND status = 'held' ORDER BY hold_id FOR UPDATE)
		RETURNING hold_id::text`, pgx.NamedArgs{"holds": holds})
	if err != nil {
		return nil, fmt.Errorf("end %d holds: %w", len(holds), err)
	}
	if expired, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return nil, fmt.Errorf("end %d holds: %w", len(holds), err)
	}
	return expired, nil
}

// releaseOrders releases the reservations of orders and returns their lines by order; triggers write movements and
// levels. It locks the levels in the order of SKU and warehouse first, so that concurrent orders do not deadlock.
func releaseOrders(ctx context.Context, tx pgx.Tx, orders []string) (map[string][]events.StockLine, error) {
	args := pgx.NamedArgs{"orders": orders}
	err := pgbatch.Enqueue(ctx, tx, -1, `
		SELECT FROM stock.levels
		WHERE level_id IN (SELECT level_id FROM stock.reservations WHERE order_id = ANY (@orders::uuid[]) AND status = 'held')
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, args)
	if err != nil {
		return nil, fmt.Errorf("lock levels of %d orders: %w", len(orders), err)
	}
	rows, err := tx.Query(ctx, `
		UPDATE stock.reservations r SET status = 'released', updated_at = now()
		FROM stock.levels l
		WHERE r.order_id = ANY (@orders::uuid[]) AND r.status = 'held' AND l.level_id = r.level_id
		RETURNING r.order_id::text, l.sku, l.warehouse_id::text, r.quantity`, args)
	if err != nil {
		return nil, fmt.Errorf("release stock of %d orders: %w", len(orders), err)
	}
	return collect(rows)
}

// releaseHolds is releaseOrders for manual reservations.
func releaseHolds(ctx context.Context, tx pgx.Tx, holds []string) (map[string][]events.StockLine, error) {
	args := pgx.NamedArgs{"holds": holds}
	err := pgbatch.Enqueue(ctx, tx, -1, `
		SELECT FROM stock.levels
		WHERE level_id IN (SELECT level_id FROM stock.reservations WHERE hold_id = ANY (@holds::uuid[]) AND status = 'held')
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, args)
	if err != nil {
		return nil, fmt.Errorf("lock levels of %d holds: %w", len(holds), err)
	}
	rows, err := tx.Query(ctx, `
		UPDATE stock.reservations r SET status = 'released', updated_at = now()
		FROM stock.levels l
		WHERE r.hold_id = ANY (@holds::uuid[]) AND r.status = 'held' AND l.level_id = r.level_id
		RETURNING r.hold_id::text, l.sku, l.warehouse_id::text, r.quantity`, args)
	if err != nil {
		return nil, fmt.Errorf("release stock of %d holds: %w", len(holds), err)
	}
	return collect(rows)
}

// collect returns the released lines by the order or hold that had reserved them.
func collect(rows pgx.Rows) (map[string][]events.StockLine, error) {
	released := map[string][]events.StockLine{}
	var holder string
	var line events.StockLine
	_, err := pgx.ForEachRow(rows, []any{&holder, &line.SKU, &line.WarehouseID, &line.Quantity}, func() error {
		released[holder] = append(released[holder], line)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("release stock: %w", err)
	}
	return released, nil
}
