// Package keeptime emits an event when something is due: a delayed stock check, the deadline of an order, the next move
// of a shipment. Due times are columns of the tables that they belong to, so no process has to wait.
package keeptime

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// New returns the function.
func New() function.Function {
	return function.Function{
		Name:     "keep-time",
		Schedule: tick,
		Emits: []events.Event{
			events.StockDue{},
			events.PaymentDue{},
			events.OrderOverdue{},
			events.OrderRested{},
			events.ShipmentDue{},
			events.ReservationDue{},
			events.PaymentSilent{},
			events.PointsDue{},
			events.ReconciliationDue{},
			events.HousekeepingDue{},
		},
	}
}

// tick returns the events of what is due now, and the time of the next tick. It reads only what has not been emitted
// yet, so events whose consumer is down do not use up the limit.
func tick(ctx context.Context, tx pgx.Tx, now time.Time) (due []events.Event, next time.Time, err error) {
	more := false
	for _, read := range []func(context.Context, pgx.Tx) ([]events.Event, error){
		stockDue, paymentsDue, ordersOverdue, ordersRested, shipmentsDue, reservationsDue, paymentsSilent, pointsDue,
		reconciliationsDue, housekeepingDue,
	} {
		batch, err := read(ctx, tx)
		if err != nil {
			return nil, time.Time{}, err
		}
		due = append(due, batch...)
		more = more || len(batch) == maxPerType
	}
	if more {
		return due, now, nil
	}
	next, err = nextDue(ctx, tx)
	return due, next, err
}
