package api

import (
	"context"
	"fmt"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/printer"
)

// PaymentCommand is what staff does with payments.
type PaymentCommand struct {
	List            paymentsCommand        `cmd:"" help:"List payments, the latest first."`
	Show            paymentShowCommand     `cmd:"" help:"Show the payment of an order."`
	Entries         paymentEntriesCommand  `cmd:"" help:"List what is known about the money of an order's payment."`
	Refunds         paymentRefundsCommand  `cmd:"" help:"List the refunds of an order's payment."`
	Retry           paymentRetryCommand    `cmd:"" help:"Request a refund again that the provider refused."`
	Suspense        paymentSuspenseCommand `cmd:"" help:"List money that fits no payment."`
	Reconciliations reconciliationsCommand `cmd:"" help:"List comparisons of providers' books with the shop's."`
}

type paymentsCommand struct {
	shopAddress
	paging
	Status string `help:"List only payments with this status, such as paid."`
	Method string `help:"List only payments by this method, such as card."`
	From   string `help:"First day, such as 2026-01-31, in UTC."`
	To     string `help:"Last day, in UTC."`
}

// Run lists payments.
func (c *paymentsCommand) Run(ctx context.Context, out *printer.Printer) error {
	page, err := c.user().ListPayments(ctx, client.ListPaymentsQuery{
		Paging: c.query(), Status: c.Status, Method: c.Method, From: c.From, To: c.To,
	})
	if err != nil {
		return err
	}
	return printer.List(
		out, page.Items,
		printer.Column[client.Payment]{Name: "order_number", Cell: func(p client.Payment) any { return p.OrderNumber }},
		printer.Column[client.Payment]{Name: "created_at", Cell: func(p client.Payment) any { return p.CreatedAt }},
		printer.Column[client.Payment]{Name: "method", Cell: func(p client.Payment) any { return p.Method }},
		printer.Column[client.Payment]{Name: "status", Cell: func(p client.Payment) any { return p.Status }},
		printer.Column[client.Payment]{Name: "amount", Cell: func(p client.Payment) any { return decimal(p.Amount) }},
		printer.Column[client.Payment]{Name: "captured", Cell: func(p client.Payment) any { return decimal(p.Captured) }},
		printer.Column[client.Payment]{Name: "refunded", Cell: func(p client.Payment) any { return decimal(p.Refunded) }},
		printer.Column[client.Payment]{Name: "id", Cell: func(p client.Payment) any { return p.ID }},
	)
}

// payment returns the payment of the order.
func (c *theOrder) payment(ctx context.Context) (*client.Client, client.Payment, error) {
	shop, id, err := c.find(ctx)
	if err != nil {
		return nil, client.Payment{}, err
	}
	p, err := shop.GetOrderPayment(ctx, id)
	return shop, p, err
}

type paymentShowCommand struct{ theOrder }

// Run shows a payment.
func (c *paymentShowCommand) Run(ctx context.Context, out *printer.Printer) error {
	_, p, err := c.payment(ctx)
	if err != nil {
		return err
	}
	fields := []printer.Field{
		{Name: "id", Value: p.ID},
		{Name: "order_number", Value: p.OrderNumber},
		{Name: "method", Value: p.Method},
		{Name: "provider", Value: p.Provider},
		{Name: "provider_ref", Value: p.ProviderRef},
		{Name: "status", Value: p.Status},
		{Name: "amount", Value: decimal(p.Amount)},
		{Name: "captured", Value: decimal(p.Captured)},
		{Name: "refunded", Value: decimal(p.Refunded)},
		{Name: "uri", Value: p.URI},
		{Name: "expires_at", Value: p.ExpiresAt},
		{Name: "created_at", Value: p.CreatedAt},
	}
	if p.Slip != nil {
		slip := fmt.Sprintf("%s, confirmation %s, %s", p.Slip.Number, p.Slip.Confirmation, p.Slip.Chain)
		fields = append(fields, printer.Field{Name: "slip", Value: slip}, printer.Field{Name: "deadline", Value: p.Slip.Deadline})
	}
	return out.Object(p, fields...)
}

type paymentEntriesCommand struct{ theOrder }

// Run lists entries.
func (c *paymentEntriesCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop, p, err := c.payment(ctx)
	if err != nil {
		return err
	}
	entries, err := shop.GetPaymentEntries(ctx, p.ID)
	if err != nil {
		return err
	}
	return printer.List(
		out, entries.Items,
		printer.Column[client.Entry]{Name: "at", Cell: func(e client.Entry) any { return e.At }},
		printer.Column[client.Entry]{Name: "kind", Cell: func(e client.Entry) any { return e.Kind }},
		printer.Column[client.Entry]{Name: "amount", Cell: func(e client.Entry) any { return decimal(e.Amount) }},
		printer.Column[client.Entry]{Name: "provider_ref", Cell: func(e client.Entry) any { return e.ProviderRef }},
	)
}

type paymentRefundsCommand struct{ theOrder }

// Run lists refunds.
func (c *paymentRefundsCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop, p, err := c.payment(ctx)
	if err != nil {
		return err
	}
	refunds, err := shop.GetPaymentRefunds(ctx, p.ID)
	if err != nil {
		return err
	}
	return printer.List(
		out, refunds.Items,
		printer.Column[client.Refund]{Name: "created_at", Cell: func(r client.Refund) any { return r.CreatedAt }},
		printer.Column[client.Refund]{Name: "status", Cell: func(r client.Refund) any { return r.Status }},
		printer.Column[client.Refund]{Name: "amount", Cell: func(r client.Refund) any { return decimal(r.Amount) }},
		printer.Column[client.Refund]{Name: "reason", Cell: func(r client.Refund) any { return r.Reason }},
		printer.Column[client.Refund]{Name: "by", Cell: func(r client.Refund) any { return r.By }},
		printer.Column[client.Refund]{Name: "id", Cell: func(r client.Refund) any { return r.ID }},
	)
}

type paymentRetryCommand struct {
	shopAddress
	Refund string `arg:"" help:"Id of the refund."`
}

// Run requests a refund again.
func (c *paymentRetryCommand) Run(ctx context.Context, out *printer.Printer) error {
	r, err := c.user().RetryRefund(ctx, c.Refund)
	if err != nil {
		return err
	}
	return out.Done(r, "the refund of %s is requested again", decimal(r.Amount))
}

type paymentSuspenseCommand struct {
	shopAddress
	paging
	All bool `help:"Also what was returned."`
}

// Run lists money in suspense.
func (c *paymentSuspenseCommand) Run(ctx context.Context, out *printer.Printer) error {
	page, err := c.user().ListSuspense(ctx, client.ListSuspenseQuery{Paging: c.query(), All: c.All})
	if err != nil {
		return err
	}
	return printer.List(
		out, page.Items,
		printer.Column[client.Suspended]{Name: "order_number", Cell: func(s client.Suspended) any { return s.OrderNumber }},
		printer.Column[client.Suspended]{Name: "came_at", Cell: func(s client.Suspended) any { return s.CameAt }},
		printer.Column[client.Suspended]{Name: "why", Cell: func(s client.Suspended) any { return s.Why }},
		printer.Column[client.Suspended]{Name: "got", Cell: func(s client.Suspended) any { return decimal(s.Got) }},
		printer.Column[client.Suspended]{Name: "expected", Cell: func(s client.Suspended) any { return decimal(s.Expected) }},
		printer.Column[client.Suspended]{Name: "returned_at", Cell: func(s client.Suspended) any { return s.ReturnedAt }},
	)
}

type reconciliationsCommand struct {
	shopAddress
	paging
	Provider string `help:"List only comparisons with this provider, such as card."`
	Differ   bool   `help:"List only comparisons with differences."`
}

// Run lists comparisons.
func (c *reconciliationsCommand) Run(ctx context.Context, out *printer.Printer) error {
	page, err := c.user().ListReconciliations(ctx, client.ListReconciliationsQuery{Paging: c.query(), Provider: c.Provider, Differ: c.Differ})
	if err != nil {
		return err
	}
	return printer.List(
		out, page.Items,
		printer.Column[client.Reconciliation]{Name: "at", Cell: func(r client.Reconciliation) any { return r.At }},
		printer.Column[client.Reconciliation]{Name: "provider", Cell: func(r client.Reconciliation) any { return r.Provider }},
		printer.Column[client.Reconciliation]{Name: "compared", Cell: func(r client.Reconciliation) any { return r.Compared }},
		printer.Column[client.Reconciliation]{Name: "differences", Cell: func(r client.Reconciliation) any { return len(r.Differences) }},
		printer.Column[client.Reconciliation]{Name: "id", Cell: func(r client.Reconciliation) any { return r.ID }},
	)
}

type orderRefundCommand struct {
	theOrder
	Amount string `required:"" help:"How much, such as 25.00, in the currency of the order."`
	Reason string `required:"" help:"Reason, which the customer sees."`
}

// Run requests a refund.
func (c *orderRefundCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop, p, err := c.payment(ctx)
	if err != nil {
		return err
	}
	amount, err := money.Parse(c.Amount, p.Amount.Currency)
	if err != nil {
		return fmt.Errorf("--amount=%s: %w", c.Amount, err)
	}
	asked := client.Amount(amount)
	r, err := shop.RefundPayment(ctx, p.ID, client.RefundPaymentRequest{Amount: &asked, Reason: c.Reason})
	if err != nil {
		return err
	}
	return out.Done(r, "a refund of %s is requested", decimal(r.Amount))
}
