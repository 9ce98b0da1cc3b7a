package office

import (
	"context"
	"crypto/rand"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/money"
)

// paymentStates are the states by which payments are listed.
var paymentStates = []string{"created", "paid", "failed", "expired", "voided", "refunded"}

// paymentList is a page of payments and the state that selects them.
type paymentList struct {
	table.Table[client.Payment]
	status string
}

func (l paymentList) tab() string {
	if l.status == "" {
		return "/office/payments"
	}
	return "/office/payments?status=" + l.status
}

func paymentTabs(v *ui.View) []tab {
	tabs := []tab{{"/office/payments", v.T("orders.all")}}
	for _, status := range paymentStates {
		tabs = append(tabs, tab{"/office/payments?status=" + status, v.T("payment-state." + status)})
	}
	return append(
		tabs, tab{"/office/payments/suspense", v.T("payments.suspense")},
		tab{"/office/payments/reconciliations", v.T("payments.reconciliations")},
	)
}

func paymentColumns(v *ui.View) []table.Column[client.Payment] {
	total, currency := amount(v, "field.amount", func(p client.Payment) client.Amount { return p.Amount })
	refunded, _ := amount(v, "payments.refunded", func(p client.Payment) client.Amount { return p.Refunded })
	return []table.Column[client.Payment]{
		linked("engine.order", func(p client.Payment) string { return p.OrderNumber }, func(p client.Payment) string { return "/office/payments/" + p.ID }),
		text("orders.state", func(p client.Payment) string { return v.T("payment-state." + p.Status) }),
		text("field.payment_method", func(p client.Payment) string { return p.Method }),
		total, currency, refunded,
		moment(v, "orders.when", func(p client.Payment) time.Time { return p.CreatedAt }),
	}
}

// payments lists payments, the newest first.
func payments(r *page.Request) error {
	l := paymentList{status: r.FormValue("status")}
	l.Key, l.Columns = "office.payments", paymentColumns(r.View)
	err := l.Read(r, "", func(ctx context.Context, paging client.Paging, _ string) (client.Page[client.Payment], error) {
		return r.API.ListPayments(ctx, client.ListPaymentsQuery{Status: l.status, Paging: paging})
	})
	if err != nil {
		return err
	}
	return l.Show(r, paymentsPage(r.View, l))
}

func suspenseColumns(v *ui.View) []table.Column[client.Suspended] {
	got, currency := amount(v, "payments.got", func(s client.Suspended) client.Amount { return s.Got })
	expected, _ := amount(v, "payments.expected", func(s client.Suspended) client.Amount { return s.Expected })
	return []table.Column[client.Suspended]{
		linked("engine.order", func(s client.Suspended) string { return s.OrderNumber }, func(s client.Suspended) string { return "/office/payments/" + s.PaymentID }),
		text("payments.why", func(s client.Suspended) string { return v.T("suspense." + s.Why) }),
		got, currency, expected,
		moment(v, "orders.when", func(s client.Suspended) time.Time { return s.CameAt }),
	}
}

// suspense lists money that fits no payment.
func suspense(r *page.Request) error {
	l := table.Table[client.Suspended]{Key: "payments.suspense", Columns: suspenseColumns(r.View)}
	err := l.Read(r, "", func(ctx context.Context, paging client.Paging, _ string) (client.Page[client.Suspended], error) {
		return r.API.ListSuspense(ctx, client.ListSuspenseQuery{Paging: paging})
	})
	if err != nil {
		return err
	}
	return l.Show(r, suspensePage(r.View, l))
}

// paymentView is a payment with its entries and refunds.
type paymentView struct {
	client.Payment
	entries table.Table[client.Entry]
	refunds []client.Refund
}

// left is what can be refunded at most.
func (p paymentView) left() client.Amount {
	left := p.Captured
	for _, refund := range p.refunds {
		if refund.Status != "failed" {
			left.Minor -= refund.Amount.Minor
		}
	}
	return left
}

// payment shows a payment, and requests a refund.
func payment(r *page.Request) error {
	shown, err := readPayment(r)
	if err != nil {
		return err
	}
	f, submitted := r.Form()
	if submitted {
		done, err := refund(r, f, shown)
		if done || err != nil {
			return err
		}
	}
	f.Values.Set("key", rand.Text())
	return r.Show(paymentPage(r.View, shown, f))
}

func readPayment(r *page.Request) (shown paymentView, err error) {
	id := r.PathValue("id")
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		shown.Payment, err = r.API.GetPayment(ctx, id)
		return err
	})
	calls.Go(func() error {
		refunds, err := r.API.GetPaymentRefunds(ctx, id)
		shown.refunds = refunds.Items
		return err
	})
	var entries client.GetPaymentEntriesAnswer
	calls.Go(func() (err error) {
		entries, err = r.API.GetPaymentEntries(ctx, id)
		return err
	})
	if err := calls.Wait(); err != nil {
		return shown, err
	}
	shown.entries = table.Table[client.Entry]{Key: "payments.entries", Columns: entryKinds(r.View), Whole: true}
	shown.entries.Hold(r, "", entries.Items)
	return shown, nil
}

func entryKinds(v *ui.View) []table.Column[client.Entry] {
	sum, currency := amount(v, "field.amount", func(e client.Entry) client.Amount { return e.Amount })
	return []table.Column[client.Entry]{
		text("stock.kind", func(e client.Entry) string { return v.T("entry." + e.Kind) }), sum, currency,
		moment(v, "orders.when", func(e client.Entry) time.Time { return e.At }),
		text("payments.reference", func(e client.Entry) string { return e.ProviderRef }),
	}
}

// refund requests a refund. done is whether it has responded; otherwise the form is shown again.
func refund(r *page.Request, f *ui.Form, p paymentView) (done bool, err error) {
	asked, err := money.Parse(f.Value("amount"), p.Amount.Currency)
	if err != nil {
		f.Add("amount", r.View.T("payments.no-amount", r.View.Money(p.left())))
		r.Status(422)
		return false, nil
	}
	_, err = r.API.RefundPayment(r.Context(), p.ID, client.RefundPaymentRequest{
		Amount: &client.Amount{Minor: asked.Minor, Currency: asked.Currency}, Reason: f.Value("reason"),
	}, client.Key(f.Value("key")))
	if err != nil {
		return false, r.Reject(f, err)
	}
	r.Notify("good", "payments.requested")
	return true, r.SeeOther("/office/payments/" + p.ID)
}

// retryRefund requests a refund again that the provider refused.
func retryRefund(r *page.Request) error {
	if _, err := r.API.RetryRefund(r.Context(), r.FormValue("refund")); err != nil {
		return err
	}
	r.Notify("good", "payments.requested")
	return r.SeeOther("/office/payments/" + r.PathValue("id"))
}
