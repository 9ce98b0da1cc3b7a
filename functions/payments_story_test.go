package functions_test

import (
	"encoding/json"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/payment"
)

// noticeSecret signs the notices of the card provider.
const noticeSecret = "the provider's secret"

// API-42, API-51, API-53, API-56, API-57, API-58: staff refunds a part of an order, at first in vain.
func (d *day) staffRefundsAnOrder() {
	ctx, staff := d.t.Context(), d.as("staff")
	require.Equal(d.t, "simulated", ok(d.visitor.GetPaymentMethods(ctx, client.GetPaymentMethodsQuery{Currency: "EUR"}))(d.t).Items[0].Code)
	placed := ok(d.visitor.PlaceOrder(ctx, oneCap(), client.Wait(0)))(d.t)
	d.AwaitStatus(d.t, placed.ID, "confirmed")
	guest := d.visitor.With(client.OrderToken(placed.OrderToken))
	paid := ok(guest.GetOrderPayment(ctx, placed.ID))(d.t)
	require.Equal(d.t, placed.Total, paid.Captured)
	require.Equal(d.t, paid, ok(guest.GetPayment(ctx, paid.ID))(d.t))
	require.Equal(d.t, paid.ID, ok(staff.ListPayments(ctx, client.ListPaymentsQuery{Status: "paid"}))(d.t).Items[0].ID)
	require.Len(d.t, ok(staff.GetPaymentEntries(ctx, paid.ID))(d.t).Items, 2)
	require.Empty(d.t, ok(staff.ListSuspense(ctx, client.ListSuspenseQuery{}))(d.t).Items)
	require.Empty(d.t, ok(staff.ListReconciliations(ctx, client.ListReconciliationsQuery{Differ: true}))(d.t).Items)

	d.Deliver(d.t, "ship-order", d.Emitted(d.t, placed.ID, "order.confirmed")[0])
	for _, status := range []string{"shipped", "in_transit", "delivered"} {
		ok(staff.MoveOrder(ctx, placed.ID, client.MoveOrderRequest{Status: status}, client.Key(status), client.Wait(0)))(d.t)
		d.AwaitStatus(d.t, placed.ID, status)
	}
	refund := ok(staff.RefundPayment(ctx, paid.ID, client.RefundPaymentRequest{
		Lines: []client.RefundLine{{Line: 1, Quantity: 1}}, Reason: "a scratch",
	}, client.Key("refund")))(d.t)
	require.Equal(d.t, placed.Total, refund.Amount)
	require.Equal(d.t, "requested", ok(guest.GetRefund(ctx, refund.ID))(d.t).Status)
	d.Exec(d.t, `UPDATE payments.refunds SET status = 'failed' WHERE status = 'requested'`)
	require.Equal(d.t, "failed", ok(staff.GetPaymentRefunds(ctx, paid.ID))(d.t).Items[0].Status)
	require.Equal(d.t, "requested", ok(staff.RetryRefund(ctx, refund.ID))(d.t).Status)

	notice := json.RawMessage(`{"id":"evt_1","type":"customer.created","data":{"object":{"id":"cus_1"}}}`)
	signed := client.Header("Stripe-Signature", payment.Sign(noticeSecret, time.Now(), notice))
	require.True(d.t, ok(d.visitor.With(signed).SendNotice(ctx, "card", notice))(d.t).Received)
}

// API-52, API-55: a customer authorises an amount, orders from it, and has the order's part captured.
func (d *day) customerPaysFromAnAuthorisedAmount() {
	ctx := d.t.Context()
	ada := d.as("customer")
	amount := client.Amount{Minor: 100_000, Currency: "EUR"}
	authorised := ok(ada.Authorise(ctx, amount, client.Key("authorise")))(d.t)
	order := oneCap()
	order.PaymentMethod, order.AuthorisationID = payment.PreAuthorised, authorised.ID
	placed := ok(ada.PlaceOrder(ctx, order, client.Wait(0)))(d.t)
	d.AwaitStatus(d.t, placed.ID, "confirmed")
	paid := ok(ada.GetOrderPayment(ctx, placed.ID))(d.t)
	require.Equal(d.t, "authorised", paid.Status)
	require.Equal(d.t, "paid", ok(ada.CapturePayment(ctx, paid.ID))(d.t).Status)
	require.Equal(d.t, placed.Total, ok(ada.GetAuthorisation(ctx, authorised.ID))(d.t).Used)
	require.Len(d.t, ok(ada.ListAuthorisations(ctx, client.Paging{}))(d.t).Items, 1)
}
