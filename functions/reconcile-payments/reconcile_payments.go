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
		On: []function.Handler{function.OnCall(function.ExternalCall[events.ReconciliationDue, request, books]{
			Prepare: function.EachCall(r.prepare),
			Call:    r.list,
			Record:  function.EachCall(record),
		})},
		Emits:      []events.Event{events.ProviderNotified{}},
		Writes:     []string{"payments.reconciliations"},
		SyncCommit: true,
	}
}

type reconciler struct{ providers payment.Providers }

// call is a comparison that is due.
type call = function.Call[events.ReconciliationDue, request, books]

// request is the provider whose books are listed.
type request struct {
	Provider string
	Since    time.Time
}

// books are the books of a provider, and when the shop began to list them.
type books struct {
	Listed   time.Time
	Payments []payment.Booked
}

// prepare leaves out a provider that the shop no longer has settings of, or that has no books.
func (r reconciler) prepare(_ context.Context, _ pgx.Tx, d *call) error {
	found, _ := r.providers.Named(d.Event.Provider)
	if _, ok := found.(payment.Lister); ok {
		d.Request = &request{d.Event.Provider, d.Event.Since}
	}
	return nil
}

func (r reconciler) list(ctx context.Context, _ string, q request) (b books, err error) {
	found, _ := r.providers.Named(q.Provider)
	b.Listed = time.Now()
	b.Payments, err = found.(payment.Lister).List(ctx, q.Since)
	return b, err
}

// record stores the comparison, and emits provider.notified for each payment that a query can correct.
func record(ctx context.Context, tx pgx.Tx, d *call) error {
	recorded, err := readRecorded(ctx, tx, *d.Request, d.Response.Listed)
	if err != nil {
		return err
	}
	differences := payment.Compare(recorded, d.Response.Payments)
	differences = differences[:min(len(differences), maxStored)]
	for _, found := range differences {
		if found.Corrected() {
			d.Emit(events.ProviderNotified{
				Provider: d.Event.Provider, NoticeID: d.Event.ReconciliationID, ProviderRef: found.Ref,
				OrderID: found.OrderID, PaymentID: found.PaymentID,
			})
		}
	}
	return insertReconciliation(ctx, tx, d.Event, len(recorded), differences)
}
