package alias

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
)

// Show shows events of the ledger under their older names, in the order in which they come; those that have none are left
// out.
func Show(ctx context.Context, pool *pgxpool.Pool, said []cloudevent.Message) (shown []any, err error) {
	orders, err := ordersOf(ctx, pool, said)
	if err != nil {
		return nil, err
	}
	for _, m := range said {
		if events.Alias(m.Type) == "" {
			continue
		}
		e, err := events.Read(m.Type, m.Data)
		if err != nil {
			return nil, err
		}
		shown = append(shown, Of(e, orders[m.OrderID])...)
	}
	return shown, nil
}

// ordersOf are the orders that events are about, by id.
func ordersOf(ctx context.Context, pool *pgxpool.Pool, said []cloudevent.Message) (map[string]Order, error) {
	ids := []string{}
	for _, m := range said {
		if m.OrderID != "" {
			ids = append(ids, m.OrderID)
		}
	}
	rows, err := pool.Query(ctx, `
		SELECT order_id::text, order_number, (
			SELECT json_agg(json_build_object('line', line, 'sku', sku, 'quantity', quantity) ORDER BY line)
			FROM orders.lines l WHERE l.order_id = o.order_id)
		FROM orders.orders o
		WHERE order_id = ANY (@ids::uuid[])`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read orders of events: %w", err)
	}
	orders := map[string]Order{}
	var id string
	var o Order
	_, err = pgx.ForEachRow(rows, []any{&id, &o.Number, &o.Lines}, func() error {
		orders[id], o.Lines = o, nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read orders of events: %w", err)
	}
	return orders, nil
}
