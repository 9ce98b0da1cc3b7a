package keeptime

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
)

// maxPerType is the maximum of events of a type per tick. If there are more, the next tick follows immediately.
const maxPerType = 500

// All queries of a tick compare with now(), the time at which its transaction began. So whatever becomes due between
// two of them is left to the next tick.

func stockDue(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return read(ctx, tx, "stock checks", `
		SELECT order_id::text, (
			SELECT json_agg(json_build_object('line', line, 'product_id', product_id, 'variant_id', variant_id, 'sku', sku,
				'store_id', store_id, 'name', product_name,
				'quantity', quantity, 'unit_price_minor', unit_price_minor, 'total_minor', total_minor) ORDER BY line)
			FROM orders.lines l WHERE l.order_id = o.order_id)
		FROM orders.orders o
		WHERE status = 'pending' AND stock = 'pending' AND stock_check_at <= now() AND stock_check_at > created_at
		AND NOT EXISTS (SELECT FROM bus.event e WHERE e.order_id = o.order_id AND e.type = 'stock.due')
		ORDER BY stock_check_at
		LIMIT $1`, func(row pgx.CollectableRow) (events.Event, error) {
		var due events.StockDue
		err := row.Scan(&due.OrderID, &due.Lines)
		return due, err
	})
}

// paymentsDue are due where the payment check is put off longer than the stock check, which has to be done first.
func paymentsDue(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return read(ctx, tx, "payment checks", `
		SELECT order_id::text
		FROM orders.orders o
		WHERE status = 'pending' AND payment = 'pending' AND payment_check_at > stock_check_at AND payment_check_at <= now() AND stock = 'held'
		AND NOT EXISTS (SELECT FROM bus.event e WHERE e.order_id = o.order_id AND e.type = 'payment.due')
		ORDER BY payment_check_at
		LIMIT $1`, func(row pgx.CollectableRow) (events.Event, error) {
		var due events.PaymentDue
		err := row.Scan(&due.OrderID)
		return due, err
	})
}

func ordersOverdue(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return read(ctx, tx, "overdue orders", `
		SELECT order_id::text, status, deadline
		FROM orders.orders o
		WHERE deadline <= now() AND status <> 'delivered'
		AND NOT EXISTS (
			SELECT FROM bus.event e
			WHERE e.order_id = o.order_id AND e.type = 'order.overdue' AND (e.data->>'deadline')::timestamptz = deadline)
		ORDER BY deadline
		LIMIT $1`, func(row pgx.CollectableRow) (events.Event, error) {
		var due events.OrderOverdue
		err := row.Scan(&due.OrderID, &due.Status, &due.Deadline)
		due.Deadline = due.Deadline.UTC()
		return due, err
	})
}

func ordersRested(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return read(ctx, tx, "rested orders", `
		SELECT order_id::text, delivered_at
		FROM orders.orders o
		WHERE deadline <= now() AND status = 'delivered' AND deadline > delivered_at
		AND NOT EXISTS (SELECT FROM bus.event e WHERE e.order_id = o.order_id AND e.type = 'order.rested')
		ORDER BY deadline
		LIMIT $1`, func(row pgx.CollectableRow) (events.Event, error) {
		var due events.OrderRested
		err := row.Scan(&due.OrderID, &due.DeliveredAt)
		due.DeliveredAt = due.DeliveredAt.UTC()
		return due, err
	})
}

func shipmentsDue(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return read(ctx, tx, "due shipments", `
		SELECT shipment_id::text, order_id::text, due_at
		FROM delivery.shipments s
		WHERE due_at <= now()
		AND NOT EXISTS (
			SELECT FROM bus.event e
			WHERE e.order_id = s.order_id AND e.type = 'shipment.due' AND (e.data->>'due_at')::timestamptz = due_at)
		ORDER BY due_at
		LIMIT $1`, func(row pgx.CollectableRow) (events.Event, error) {
		var due events.ShipmentDue
		err := row.Scan(&due.ShipmentID, &due.OrderID, &due.DueAt)
		due.DueAt = due.DueAt.UTC()
		return due, err
	})
}

func reservationsDue(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return read(ctx, tx, "due reservations", `
		SELECT hold_id::text, (
			SELECT json_agg(json_build_object('sku', sku, 'warehouse_id', warehouse_id, 'quantity', quantity) ORDER BY line, sku, warehouse_id)
			FROM stock.reservations r JOIN stock.levels USING (level_id) WHERE r.hold_id = h.hold_id)
		FROM stock.holds h
		WHERE status = 'held' AND expires_at <= now()
		AND NOT EXISTS (SELECT FROM bus.event e WHERE e.type = 'reservation.due' AND e.subject = hold_id::text)
		ORDER BY expires_at
		LIMIT $1`, func(row pgx.CollectableRow) (events.Event, error) {
		var due events.ReservationDue
		err := row.Scan(&due.ReservationID, &due.Lines)
		return due, err
	})
}

func paymentsSilent(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return read(ctx, tx, "silent payments", `
		SELECT payment_id::text, order_id::text, provider, provider_ref, check_at
		FROM payments.payments p
		WHERE status = 'created' AND check_at <= now()
		AND NOT EXISTS (
			SELECT FROM bus.event e
			WHERE e.order_id = p.order_id AND e.type = 'payment.silent' AND (e.data->>'since')::timestamptz = check_at)
		ORDER BY check_at
		LIMIT $1`, func(row pgx.CollectableRow) (events.Event, error) {
		var due events.PaymentSilent
		err := row.Scan(&due.PaymentID, &due.OrderID, &due.Provider, &due.ProviderRef, &due.Since)
		due.Since = due.Since.UTC()
		return due, err
	})
}

// reconciliationsDue are due at the first tick of an hour, for each provider that has been called in the last 72 hours. The ids of an
// hour's events begin with its first millisecond. Payments are read once an hour: the planner may not read them first.
func reconciliationsDue(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return read(ctx, tx, "reconciliations", `
		WITH due AS MATERIALIZED (
			SELECT hour, hour - interval '72 hours' AS since
			FROM (SELECT date_trunc('hour', now())) AS this (hour)
			WHERE NOT EXISTS (
				SELECT FROM bus.event e
				WHERE e.event_id >= bus.first_id_of(hour) AND e.event_id < bus.first_id_of(hour + interval '1 ms') AND e.type = 'reconciliation.due')
		)
		SELECT (left(bus.first_id_of(hour)::text, 24) || left(md5(provider), 12))::uuid::text, provider, since
		FROM due, LATERAL (SELECT DISTINCT provider FROM payments.payments WHERE check_at IS NOT NULL AND created_at > since) AS called
		LIMIT $1`, func(row pgx.CollectableRow) (events.Event, error) {
		var due events.ReconciliationDue
		err := row.Scan(&due.ReconciliationID, &due.Provider, &due.Since)
		due.Since = due.Since.UTC()
		return due, err
	})
}

func pointsDue(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return read(ctx, tx, "points that run out", `
		SELECT customer_id::text, entry_id::text
		FROM points.lots
		WHERE expires_at <= now()
		AND NOT EXISTS (SELECT FROM bus.event e WHERE e.type = 'points.due' AND e.subject = entry_id::text)
		ORDER BY expires_at
		LIMIT $1`, func(row pgx.CollectableRow) (events.Event, error) {
		var due events.PointsDue
		err := row.Scan(&due.CustomerID, &due.EntryID)
		return due, err
	})
}

// housekeepingDue is due at the first tick of a day; no tick is scheduled for it. The ids of a day's housekeeping
// events begin with the first millisecond of the day, so the query reads a small range of the event store's primary
// key.
func housekeepingDue(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return read(ctx, tx, "housekeeping", `
		SELECT bus.first_id_of(day)::text, to_char(day AT TIME ZONE 'UTC', 'YYYY-MM-DD')
		FROM (SELECT date_trunc('day', now(), 'UTC')) AS today (day)
		WHERE NOT EXISTS (
			SELECT FROM bus.event e
			WHERE e.event_id >= bus.first_id_of(day) AND e.event_id < bus.first_id_of(day + interval '1 ms') AND e.type = 'housekeeping.due')
		LIMIT $1`, func(row pgx.CollectableRow) (events.Event, error) {
		var due events.HousekeepingDue
		err := row.Scan(&due.HousekeepingID, &due.Day)
		return due, err
	})
}

// nextDue returns the next time at which something is due, or zero.
func nextDue(ctx context.Context, tx pgx.Tx) (time.Time, error) {
	var next *time.Time
	err := tx.QueryRow(ctx, `
		SELECT LEAST(
			(SELECT min(stock_check_at) FROM orders.orders WHERE status = 'pending' AND stock = 'pending' AND stock_check_at > now()),
			(SELECT min(payment_check_at) FROM orders.orders
				WHERE status = 'pending' AND payment = 'pending' AND payment_check_at > stock_check_at AND payment_check_at > now()),
			(SELECT min(deadline) FROM orders.orders WHERE deadline > now()),
			(SELECT min(check_at) FROM payments.payments WHERE status = 'created' AND check_at > now()),
			(SELECT min(due_at) FROM delivery.shipments WHERE due_at > now()),
			(SELECT min(expires_at) FROM stock.holds WHERE status = 'held' AND expires_at > now()),
			(SELECT min(expires_at) FROM points.lots WHERE expires_at > now()),
			(SELECT date_trunc('hour', now()) + interval '1 hour' WHERE EXISTS (
				SELECT FROM payments.payments WHERE check_at IS NOT NULL AND created_at > date_trunc('hour', now()) - interval '71 hours')))`).Scan(&next)
	if err != nil || next == nil {
		return time.Time{}, err
	}
	return *next, nil
}

// read runs a query with the limit of a tick; what names it in errors.
func read(ctx context.Context, tx pgx.Tx, what, sql string, row pgx.RowToFunc[events.Event]) ([]events.Event, error) {
	rows, err := tx.Query(ctx, sql, maxPerType)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	due, err := pgx.CollectRows(rows, row)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return due, nil
}
