package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/printer"
)

// OrderCommand is what staff does with orders.
type OrderCommand struct {
	List   ordersCommand      `cmd:"" help:"List orders, the latest first."`
	Show   orderShowCommand   `cmd:"" help:"Show an order."`
	Cancel orderCancelCommand `cmd:"" help:"Cancel an order and give back what it took."`
	Ship   orderShipCommand   `cmd:"" help:"Mark an order as shipped."`
	Status orderStatusCommand `cmd:"" help:"Set the status of an order's shipment."`
	Refund orderRefundCommand `cmd:"" help:"Refund an amount of an order that was delivered."`
	Note   orderNoteCommand   `cmd:"" help:"Write a note about an order, which its customer does not see."`
	Notes  orderNotesCommand  `cmd:"" help:"List the notes about an order."`
}

type ordersCommand struct {
	shopAddress
	paging
	Q        string `arg:"" optional:"" help:"Part of the order number, or of the customer's name, e-mail address or telephone number."`
	Status   string `help:"List only orders with this status, such as confirmed."`
	Customer string `help:"List only orders of this customer (e-mail address or id)."`
	Store    string `help:"List only orders with goods of this store (id or name)."`
}

// Run lists orders.
func (c *ordersCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	customer, err := findUser(ctx, shop, c.Customer)
	if err != nil {
		return err
	}
	store, err := findStore(ctx, shop, c.Store)
	if err != nil {
		return err
	}
	page, err := shop.ListOrders(ctx, client.ListOrdersQuery{
		Paging: c.query(), Q: c.Q, Status: c.Status, CustomerID: customer, StoreID: store, Sort: "-created_at",
	})
	if err != nil {
		return err
	}
	return printer.List(
		out, page.Items,
		printer.Column[client.Order]{Name: "order_number", Cell: func(o client.Order) any { return o.Number }},
		printer.Column[client.Order]{Name: "created_at", Cell: func(o client.Order) any { return o.CreatedAt }},
		printer.Column[client.Order]{Name: "status", Cell: func(o client.Order) any { return o.Status }},
		printer.Column[client.Order]{Name: "payment", Cell: func(o client.Order) any { return o.Payment }},
		printer.Column[client.Order]{Name: "total", Cell: func(o client.Order) any { return decimal(o.Total) }},
		printer.Column[client.Order]{Name: "customer", Cell: func(o client.Order) any { return o.Contact.Name }},
		printer.Column[client.Order]{Name: "id", Cell: func(o client.Order) any { return o.ID }},
	)
}

// theOrder names an order.
type theOrder struct {
	shopAddress
	Order string `arg:"" help:"Number or id of the order."`
}

// find returns the shop and the id of the order.
func (o theOrder) find(ctx context.Context) (*client.Client, string, error) {
	shop := o.user()
	id, err := findOrder(ctx, shop, o.Order)
	return shop, id, err
}

type orderShowCommand struct{ theOrder }

// Run shows an order.
func (c *orderShowCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop, id, err := c.find(ctx)
	if err != nil {
		return err
	}
	order, err := shop.GetOrder(ctx, id)
	if err != nil {
		return err
	}
	return showOrder(out, order)
}

func showOrder(out *printer.Printer, o client.Order) error {
	fields := []printer.Field{
		{Name: "order_number", Value: o.Number},
		{Name: "id", Value: o.ID},
		{Name: "status", Value: o.Status},
		{Name: "reason", Value: o.Reason},
		{Name: "stock", Value: o.Stock},
		{Name: "payment", Value: o.Payment},
		{Name: "payment_method", Value: o.PaymentMethod},
		{Name: "customer", Value: o.Contact.Name},
		{Name: "email", Value: o.Contact.Email},
		{Name: "phone", Value: o.Contact.Phone},
		{Name: "address", Value: destination(o)},
		{Name: "carrier", Value: o.Carrier},
		{Name: "tracking_number", Value: o.TrackingNumber},
		{Name: "created_at", Value: o.CreatedAt},
		{Name: "delivered_at", Value: o.DeliveredAt},
	}
	for _, line := range o.Lines {
		text := fmt.Sprintf("%d × %s %s, %s", line.Quantity, line.SKU, line.ProductName, decimal(line.TotalPrice))
		fields = append(fields, printer.Field{Name: fmt.Sprintf("line %d", line.Line), Value: text})
	}
	return out.Object(o, append(
		fields,
		printer.Field{Name: "subtotal", Value: decimal(o.Subtotal)},
		printer.Field{Name: "delivery_fee", Value: decimal(o.DeliveryFee)},
		printer.Field{Name: "tax", Value: decimal(o.Tax)},
		printer.Field{Name: "discount", Value: decimal(o.Discount)},
		printer.Field{Name: "total", Value: decimal(o.Total)},
	)...)
}

// destination returns where an order goes, in one line.
func destination(o client.Order) string {
	if o.Pickup != nil {
		return "collected in store " + o.Pickup.StoreID
	}
	if o.Address == nil {
		return ""
	}
	a := *o.Address
	var parts []string
	for _, part := range []string{a.Name, a.AddressLine1, a.AddressLine2, a.PostalCode + " " + a.City, a.Prefecture, a.Region, a.Country} {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

type orderCancelCommand struct {
	theOrder
	Reason string `required:"" help:"Reason, which the customer sees."`
}

// Run cancels an order.
func (c *orderCancelCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop, id, err := c.find(ctx)
	if err != nil {
		return err
	}
	order, err := shop.CancelOrder(ctx, id, client.CancelOrderRequest{Reason: c.Reason})
	if err != nil {
		return err
	}
	return showOrder(out, order)
}

type orderShipCommand struct {
	theOrder
	Carrier        string `help:"Who carries it."`
	TrackingNumber string `help:"The carrier's number."`
}

// Run marks an order as shipped.
func (c *orderShipCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop, id, err := c.find(ctx)
	if err != nil {
		return err
	}
	order, err := shop.ShipOrder(ctx, id, client.ShipOrderRequest{Carrier: c.Carrier, TrackingNumber: c.TrackingNumber})
	if err != nil {
		return err
	}
	return showOrder(out, order)
}

type orderStatusCommand struct {
	theOrder
	Status      string `arg:"" enum:"preparing,ready_for_pickup,picked_up,shipped,in_transit,delivered,failed_delivery,returned" help:"One of ${enum}."`
	Location    string `help:"Where it is."`
	Description string `help:"What happened."`
}

// Run sets the status of a shipment.
func (c *orderStatusCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop, id, err := c.find(ctx)
	if err != nil {
		return err
	}
	order, err := shop.MoveOrder(ctx, id, client.MoveOrderRequest{Status: c.Status, Location: c.Location, Description: c.Description})
	if err != nil {
		return err
	}
	return showOrder(out, order)
}

type orderNoteCommand struct {
	theOrder
	Note string `arg:"" help:"The note."`
}

// Run writes a note.
func (c *orderNoteCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop, id, err := c.find(ctx)
	if err != nil {
		return err
	}
	note, err := shop.AddOrderNote(ctx, id, client.AddOrderNoteRequest{Note: c.Note})
	if err != nil {
		return err
	}
	return out.Done(note, "the note is written")
}

type orderNotesCommand struct {
	theOrder
	paging
}

// Run lists notes.
func (c *orderNotesCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop, id, err := c.find(ctx)
	if err != nil {
		return err
	}
	page, err := shop.ListOrderNotes(ctx, id, c.query())
	if err != nil {
		return err
	}
	return printer.List(
		out, page.Items,
		printer.Column[client.Note]{Name: "created_at", Cell: func(n client.Note) any { return n.CreatedAt }},
		printer.Column[client.Note]{Name: "author", Cell: func(n client.Note) any { return n.Author }},
		printer.Column[client.Note]{Name: "note", Cell: func(n client.Note) any { return n.Note }},
	)
}
