package orderstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/delivery"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// Withdrawal is who undoes an order, and why.
type Withdrawal struct {
	By     string // customer, staff or clock
	Reason string
	Name   string // of the function
	Cause  string // the event or the route that the function was called with
}

// Refusal is why an order cannot be cancelled: its status, or that of its shipment.
type Refusal struct {
	Order    order.Status
	Shipment string // empty where the order's own status forbids it
}

// Withdraw begins the undo of a locked order, cancels its shipment, and returns the events that follow. It changes
// nothing and returns a refusal for an order whose status forbids it, or whose goods are being prepared or have left.
//
// The lock on the order's row decides between the two: shipments are created and moved only under it.
func Withdraw(
	ctx context.Context, tx pgx.Tx, o *order.Order, w Withdrawal, times order.Times,
) ([]events.Event, *Refusal, error) {
	s, err := lockShipment(ctx, tx, o.ID)
	if err != nil {
		return nil, nil, err
	}
	from, held := o.Status, o.HeldStock()
	if from.CanMoveTo(order.Cancelling) && !s.cancellable(from) {
		return nil, &Refusal{from, s.Status}, nil
	}
	if !o.Withdraw(w.By, w.Reason, times) {
		return nil, &Refusal{Order: from}, nil
	}
	if err := Save(ctx, tx, o, w.Name, w.Cause); err != nil {
		return nil, nil, err
	}
	followed := []events.Event{withdrawn(o, from, held)}
	if !s.open() {
		return followed, nil, nil
	}
	if err := cancelShipment(ctx, tx, s.ID); err != nil {
		return nil, nil, err
	}
	cancelled := events.ShipmentMoved{
		ShipmentID: s.ID, OrderID: o.ID, From: s.Status, To: delivery.Cancelled, By: w.By, At: o.Now.UTC(),
	}
	return append(followed, cancelled), nil, nil
}

// withdrawn is the event of an order that is being undone. It carries every line, so that no consumer has to read them.
func withdrawn(o *order.Order, from order.Status, stockHeld bool) events.OrderWithdrawn {
	withdrawn := events.OrderWithdrawn{
		OrderID: o.ID, Version: o.Version, FromStatus: string(from), By: o.WithdrawnBy, Reason: o.WithdrawalReason(),
		Lines: o.Lines, StockHeld: stockHeld, Currency: o.Currency, Points: o.Points, PaymentID: o.PaymentID,
	}
	if o.Payment == order.PaymentRefunding {
		withdrawn.CapturedMinor = o.TotalMinor
	}
	return withdrawn
}

// shipment is the shipment of an order; it is empty when there is none.
type shipment struct{ ID, Status string }

// open reports whether the shipment would still move.
func (s shipment) open() bool { return s.ID != "" && s.Status != delivery.Cancelled }

func (s shipment) cancellable(o order.Status) bool {
	return !s.open() || delivery.Cancellable(s.Status, o == order.ReadyForPickup)
}

func lockShipment(ctx context.Context, tx pgx.Tx, orderID string) (s shipment, err error) {
	err = tx.QueryRow(ctx, `
		SELECT shipment_id::text, status
		FROM delivery.shipments
		WHERE order_id = @order_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"order_id": orderID}).Scan(&s.ID, &s.Status)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return s, fmt.Errorf("lock shipment of order %s: %w", orderID, err)
	}
	return s, nil
}

func cancelShipment(ctx context.Context, tx pgx.Tx, shipmentID string) error {
	err := pgbatch.Enqueue(ctx, tx, 1, `
		WITH cancelled AS (
			UPDATE delivery.shipments SET status = 'cancelled', due_at = NULL
			WHERE shipment_id = @shipment_id
			RETURNING shipment_id
		)
		INSERT INTO delivery.tracking (shipment_id, n, status, at)
		SELECT shipment_id, (SELECT max(n) + 1 FROM delivery.tracking t WHERE t.shipment_id = c.shipment_id), 'cancelled', clock_timestamp()
		FROM cancelled c`, pgx.NamedArgs{"shipment_id": shipmentID})
	if err != nil {
		return fmt.Errorf("cancel shipment %s: %w", shipmentID, err)
	}
	return nil
}
