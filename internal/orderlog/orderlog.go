// Package orderlog keeps the current row of an order and the log of its versions, both in one statement. What an order may
// do is not decided here: package order knows.
package orderlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
)

// Lock reads an order and locks its row until the transaction ends. An order that does not exist is a permanent error.
func Lock(ctx context.Context, tx pgx.Tx, id string) (*order.Order, error) {
	o, err := LockWhen(ctx, tx, id, "true")
	if err == nil && o == nil {
		return nil, function.Permanent(fmt.Errorf("lock order %s: there is none", id))
	}
	return o, err
}

// LockWhen is Lock for an order that fulfils a condition, and nil for any other: a step that an order does not need yet
// makes nobody wait. Whatever fulfils the condition later will be told of when it happens.
func LockWhen(ctx context.Context, tx pgx.Tx, id, condition string) (*order.Order, error) {
	var o order.Order
	var deadline, delivered *time.Time
	var lines []byte
	err := tx.QueryRow(ctx, `
		SELECT order_id::text, order_number, coalesce(customer_id::text, ''), version, status, stock, payment, reason, currency,
			total_minor, payment_method, coalesce(payment_id::text, ''), coalesce(shipment_id::text, ''), carrier, tracking_number,
			withdrawn_by, pickup, deadline, delivered_at, stock_check_at, clock_timestamp(), (
				SELECT json_agg(json_build_object('line', line, 'sku', sku, 'quantity', quantity) ORDER BY line)
				FROM orders.lines l WHERE l.order_id = o.order_id)
		FROM orders.orders o
		WHERE order_id = @order_id AND `+condition+`
		FOR NO KEY UPDATE`, pgx.NamedArgs{"order_id": id}).Scan(
		&o.ID, &o.Number, &o.CustomerID, &o.Version, &o.Status, &o.Stock, &o.Payment, &o.Reason, &o.Currency,
		&o.TotalMinor, &o.PaymentMethod, &o.PaymentID, &o.ShipmentID, &o.Carrier, &o.TrackingNumber,
		&o.WithdrawnBy, &o.Pickup, &deadline, &delivered, &o.StockCheckAt, &o.Now, &lines)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock order %s: %w", id, err)
	}
	if deadline != nil {
		o.Deadline = *deadline
	}
	if delivered != nil {
		o.DeliveredAt = *delivered
	}
	if err := json.Unmarshal(lines, &o.Lines); err != nil {
		return nil, fmt.Errorf("read lines of order %s: %w", id, err)
	}
	return &o, nil
}

// Save writes the next version of a locked order and its row in the log. by is who changed it, cause is what they were told.
// The database refuses a version that does not follow the last.
func Save(ctx context.Context, tx pgx.Tx, o *order.Order, by, cause string) error {
	err := function.Queue(ctx, tx, -1, `
		WITH saved AS (
			UPDATE orders.orders o SET
				version = @version::bigint + 1, status = @status, stock = @stock, payment = @payment, reason = @reason,
				payment_id = nullif(@payment_id, '')::uuid, shipment_id = nullif(@shipment_id, '')::uuid, carrier = @carrier,
				tracking_number = @tracking_number, withdrawn_by = @withdrawn_by, deadline = @deadline, delivered_at = @delivered_at
			FROM (SELECT status FROM orders.orders WHERE order_id = @order_id) AS before
			WHERE order_id = @order_id
			RETURNING o.*, before.status AS status_before
		)
		INSERT INTO orders.history (order_id, version, from_status, to_status, stock, payment, reason, deadline, by, cause)
		SELECT order_id, version, status_before, status, stock, payment, reason, deadline, @by, @cause FROM saved`,
		pgx.NamedArgs{
			"order_id": o.ID, "version": o.Version, "status": o.Status, "stock": o.Stock, "payment": o.Payment, "reason": o.Reason,
			"payment_id": o.PaymentID, "shipment_id": o.ShipmentID, "carrier": o.Carrier, "tracking_number": o.TrackingNumber,
			"withdrawn_by": o.WithdrawnBy, "deadline": nullTime(o.Deadline), "delivered_at": nullTime(o.DeliveredAt),
			"by": by, "cause": cause,
		})
	if err != nil {
		return fmt.Errorf("save order %s: %w", o.ID, err)
	}
	o.Version++
	return nil
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Times are the shop's settings that an order's deadlines are made of.
func Times(shop config.Shop) order.Times {
	return order.Times{Pay: shop.PayTime, Pickup: shop.PickupTime, Staff: shop.StaffTime, CompleteAfter: shop.CompleteAfter}
}
