// Package keeptime says what is due. Due times are columns of the tables they belong to; nobody waits by sleeping.
package keeptime

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// New declares the function.
func New() function.Function {
	return function.Function{
		Name:     "keep-time",
		Schedule: strike,
		Emits:    []events.Event{events.StockDue{}, events.OrderOverdue{}, events.OrderRested{}, events.ShipmentDue{}, events.ReservationDue{}, events.HousekeepingDue{}},
	}
}

// strike says what is due now, and when the next thing will be. What was said takes no place from what was not: those who
// hear it may be away.
func strike(ctx context.Context, tx pgx.Tx, now time.Time) (due []events.Event, next time.Time, err error) {
	more := false
	for _, read := range []func(context.Context, pgx.Tx) ([]events.Event, error){stockDue, ordersOverdue, ordersRested, shipmentsDue, reservationsDue, housekeepingDue} {
		found, err := read(ctx, tx)
		if err != nil {
			return nil, time.Time{}, err
		}
		due = append(due, found...)
		more = more || len(found) == atOnce
	}
	if more {
		return due, now, nil
	}
	next, err = nextDue(ctx, tx)
	return due, next, err
}
