// Package reconcilepayments compares the books of a payment provider with the payments that the shop has recorded, every hour for
// the last 72 hours. What a query of the payment can correct is queried; the rest is stored for staff.
package reconcilepayments

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/payment/provider"
)

const name = "reconcile-payments"

// New returns the function. It calls the payment providers.
func New(settings provider.Settings) function.Function {
	r := reconciler{provider.Of(settings)}
	return function.Function{
		Name: name,
		On: []function.Handler{function.OnCall(function.ExternalCall[events.ReconciliationDue, request, []payment.Booked]{
			Prepare: function.EachCall(r.prepare),
			Call:    list,
			Record:  function.EachCall(record),
		})},
		Emits:      []events.Event{events.ProviderNotified{}},
		Writes:     []string{"payments.reconciliations"},
		SyncCommit: true,
	}
}

type reconciler struct{ providers payment.Providers }

// call is a comparison that is due.
type call = function.Call[events.ReconciliationDue, request, []payment.Booked]

// request is the provider whose books are listed.
type request struct {
	Provider string
	Since    time.Time
	Begun    time.Time // by the clock of the database: what changes later is left to the next comparison
	lister   payment.Lister
}

// prepare leaves out a provider without books.
func (r reconciler) prepare(ctx context.Context, tx pgx.Tx, d *call) error {
	found, _ := r.providers.Named(d.Event.Provider)
	lister, ok := found.(payment.Lister)
	if !ok {
		return nil
	}
	d.Request = &request{Provider: d.Event.Provider, Since: d.Event.Since, lister: lister}
	return tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&d.Request.Begun)
}

func list(ctx context.Context, _ string, q request) ([]payment.Booked, error) {
	return q.lister.List(ctx, q.Since)
}

// record stores the comparison, and emits provider.notified for each payment that a query can correct.
func record(ctx context.Context, tx pgx.Tx, d *call) error {
	recorded, err := readRecorded(ctx, tx, *d.Request)
	if err != nil {
		return err
	}
	differences := payment.Compare(recorded, d.Response)
	differences = differences[:min(len(differences), maxStored)]
	for _, found := range differences {
		if found.Query {
			d.Emit(events.ProviderNotified{
				Provider: d.Event.Provider, NoticeID: d.Event.ReconciliationID, ProviderRef: found.Ref,
				OrderID: found.OrderID, PaymentID: found.PaymentID,
			})
		}
	}
	return insertReconciliation(ctx, tx, d.Event, len(recorded), differences)
}
