// Package orderstore locks and saves orders: the current row of each, and the log of its versions in the same
// statement. Package order has the rules.
package orderstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// Lock reads an order and locks its row until the transaction ends. An order that does not exist is a permanent error.
func Lock(ctx context.Context, tx pgx.Tx, id string) (*order.Order, error) {
	orders, err := LockAll(ctx, tx, []string{id})
	if err != nil {
		return nil, err
	}
	return orders[0], nil
}

// LockAll is Lock for many orders. It locks them in the order of their ids and returns them as they are given.
func LockAll(ctx context.Context, tx pgx.Tx, ids []string) ([]*order.Order, error) {
	orders, err := LockWithStatus(ctx, tx, ids, "")
	if err != nil {
		return nil, err
	}
	for i, o := range orders {
		if o == nil {
			return nil, function.Permanent(fmt.Errorf("lock order %s: it does not exist", ids[i]))
		}
	}
	return orders, nil
}

// LockWithStatus is LockAll for orders in a status; any other is nil and not locked: a handler that an order does not
// need yet makes no other one wait. The handler consumes the event of whatever brings the order into the status later.
func LockWithStatus(ctx context.Context, tx pgx.Tx, ids []string, status order.Status) ([]*order.Order, error) {
	rows, err := tx.Query(ctx, `
		SELECT order_id::text, order_number, coalesce(customer_id::text, ''), version, status, stock, payment, reason, currency,
			total_minor, points, payment_method, coalesce(payment_id::text, ''), coalesce(shipment_id::text, ''), carrier, tracking_number,
			withdrawn_by, pickup, deadline, delivered_at, stock_check_at, clock_timestamp(), (
				SELECT json_agg(json_build_object('line', line, 'sku', sku, 'quantity', quantity) ORDER BY line)
				FROM orders.lines l WHERE l.order_id = o.order_id)
		FROM orders.orders o
		WHERE order_id = ANY (@ids::uuid[]) AND @status IN ('', status)
		ORDER BY order_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"ids": ids, "status": string(status)})
	if err != nil {
		return nil, fmt.Errorf("lock orders %v: %w", ids, err)
	}
	found, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("lock orders %v: %w", ids, err)
	}
	byID := make(map[string]*order.Order, len(found))
	for _, o := range found {
		byID[o.ID] = o
	}
	orders := make([]*order.Order, len(ids))
	for i, id := range ids {
		orders[i] = byID[id]
	}
	return orders, nil
}

func scan(row pgx.CollectableRow) (*order.Order, error) {
	var o order.Order
	var deadline, delivered *time.Time
	var lines []byte
	err := row.Scan(
		&o.ID, &o.Number, &o.CustomerID, &o.Version, &o.Status, &o.Stock, &o.Payment, &o.Reason, &o.Currency,
		&o.TotalMinor, &o.Points, &o.PaymentMethod, &o.PaymentID, &o.ShipmentID, &o.Carrier, &o.TrackingNumber,
		&o.WithdrawnBy, &o.Pickup, &deadline, &delivered, &o.StockCheckAt, &o.Now, &lines)
	if err != nil {
		return nil, err
	}
	if deadline != nil {
		o.Deadline = *deadline
	}
	if delivered != nil {
		o.DeliveredAt = *delivered
	}
	if err := json.Unmarshal(lines, &o.Lines); err != nil {
		return nil, fmt.Errorf("read lines of order %s: %w", o.ID, err)
	}
	return &o, nil
}

// Save writes the next version of a locked order and its row in the log. by is the function that changed it and cause
// what the function was called with. The database rejects a version that does not follow the last.
func Save(ctx context.Context, tx pgx.Tx, o *order.Order, by, cause string) error {
	return SaveAll(ctx, tx, []*order.Order{o}, by, cause)
}

// SaveAll is Save for many orders, each once.
func SaveAll(ctx context.Context, tx pgx.Tx, orders []*order.Order, by, cause string) error {
	if len(orders) == 0 {
		return nil
	}
	args := columns(orders)
	args["by"], args["cause"] = by, cause
	err := pgbatch.Enqueue(ctx, tx, -1, `
		WITH saved AS (
			UPDATE orders.orders o SET
				version = n.version + 1, status = n.status, stock = n.stock, payment = n.payment, reason = n.reason,
				payment_id = nullif(n.payment_id, '')::uuid, shipment_id = nullif(n.shipment_id, '')::uuid, carrier = n.carrier,
				tracking_number = n.tracking_number, withdrawn_by = n.withdrawn_by, deadline = n.deadline, delivered_at = n.delivered_at
			FROM unnest(@ids::uuid[], @versions::bigint[], @statuses::text[], @stocks::text[], @payments::text[], @reasons::text[],
				@payment_ids::text[], @shipment_ids::text[], @carriers::text[], @tracking_numbers::text[], @withdrawn_by::text[],
				@deadlines::timestamptz[], @delivered_at::timestamptz[])
				AS n (order_id, version, status, stock, payment, reason, payment_id, shipment_id, carrier, tracking_number,
					withdrawn_by, deadline, delivered_at)
			JOIN orders.orders before USING (order_id)
			WHERE o.order_id = n.order_id
			RETURNING o.*, before.status AS status_before
		)
		INSERT INTO orders.history (order_id, version, from_status, to_status, stock, payment, reason, deadline, by, cause)
		SELECT order_id, version, status_before, status, stock, payment, reason, deadline, @by, @cause FROM saved`, args)
	if err != nil {
		return fmt.Errorf("save %d orders: %w", len(orders), err)
	}
	for _, o := range orders {
		o.Version++
	}
	return nil
}

// columns returns what is saved of orders, an array for each column.
func columns(orders []*order.Order) pgx.NamedArgs {
	n := len(orders)
	ids, statuses, stocks, payments := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	reasons, paymentIDs, shipmentIDs, carriers := make([]string, n), make([]string, n), make([]string, n), make([]string,
		n)
	trackingNumbers, withdrawnBy, versions := make([]string, n), make([]string, n), make([]int64, n)
	deadlines, deliveredAt := make([]*time.Time, n), make([]*time.Time, n)
	for i, o := range orders {
		ids[i], versions[i], statuses[i], stocks[i], payments[i] = o.ID, o.Version, string(o.Status), string(o.Stock), string(o.Payment)
		reasons[i], paymentIDs[i], shipmentIDs[i], carriers[i] = o.Reason, o.PaymentID, o.ShipmentID, o.Carrier
		trackingNumbers[i], withdrawnBy[i] = o.TrackingNumber, o.WithdrawnBy
		deadlines[i], deliveredAt[i] = nullTime(o.Deadline), nullTime(o.DeliveredAt)
	}
	return pgx.NamedArgs{
		"ids": ids, "versions": versions, "statuses": statuses, "stocks": stocks, "payments": payments, "reasons": reasons,
		"payment_ids": paymentIDs, "shipment_ids": shipmentIDs, "carriers": carriers, "tracking_numbers": trackingNumbers,
		"withdrawn_by": withdrawnBy, "deadlines": deadlines, "delivered_at": deliveredAt,
	}
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Times returns the shop's settings that an order's deadlines are made of.
func Times(shop config.Shop) order.Times {
	return order.Times{
		Pay: shop.PayTime, Pickup: shop.PickupTime, Staff: shop.StaffTime, CompleteAfter: shop.CompleteAfter,
	}
}
