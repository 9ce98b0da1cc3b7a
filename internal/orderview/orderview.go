// Package orderview reads orders as callers see them, and waits for the shop's decision about one. It is apart from
// orderstore so that event functions need no HTTP packages.
package orderview

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/address"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Order is the current state of an order.
type Order struct {
	ID             string                 `json:"id" format:"uuid"`
	Number         string                 `json:"order_number" example:"ORD-20260131-7K3QX9"`
	CustomerID     string                 `json:"customer_id,omitempty" format:"uuid"`
	Status         string                 `json:"status" enum:"pending,confirmed,processing,ready_for_pickup,picked_up,shipped,in_transit,delivered,failed_delivery,cancelling,completed,returned,cancelled,rejected,expired"`
	Reason         string                 `json:"reason,omitempty"`
	Stock          string                 `json:"stock" enum:"pending,held,short,released,shipped"`
	Payment        string                 `json:"payment" enum:"pending,created,authorised,paid,failed,expired,refunding,refunded"`
	Version        int64                  `json:"version"`
	Lines          []Line                 `json:"lines"`
	Subtotal       money.Amount           `json:"subtotal"`
	DeliveryFee    money.Amount           `json:"delivery_fee"`
	Tax            money.Amount           `json:"tax"`
	Discount       money.Amount           `json:"discount"`
	Total          money.Amount           `json:"total"`
	PointsApplied  int64                  `json:"points_applied,omitempty" doc:"How many points lower the total: they are the discount."`
	Contact        OrderContact           `json:"contact" doc:"How to reach the customer."`
	Address        *address.StoredAddress `json:"address,omitempty"`
	Pickup         *Pickup                `json:"pickup,omitempty"`
	PaymentMethod  string                 `json:"payment_method"`
	PaymentID      string                 `json:"payment_id,omitempty" format:"uuid"`
	PaymentURI     string                 `json:"payment_uri,omitempty"`
	ShipmentID     string                 `json:"shipment_id,omitempty" format:"uuid"`
	Carrier        string                 `json:"carrier,omitempty"`
	TrackingNumber string                 `json:"tracking_number,omitempty"`
	Deadline       *time.Time             `json:"deadline,omitempty"`
	DeliveredAt    *time.Time             `json:"delivered_at,omitempty"`
	Locale         string                 `json:"locale"`
	CreatedAt      time.Time              `json:"created_at"`
	UpdatedAt      time.Time              `json:"updated_at"`
}

// OrderContact is how to reach the customer of an order. It is empty once the account was closed.
type OrderContact struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

// Line is one line of an order, as it was sold.
type Line struct {
	Line        int          `json:"line"`
	ProductID   string       `json:"product_id"`
	VariantID   string       `json:"variant_id,omitempty"`
	SKU         string       `json:"sku"`
	StoreID     string       `json:"store_id"`
	StoreName   string       `json:"store_name"`
	ProductName string       `json:"product_name"`
	Quantity    int64        `json:"quantity"`
	UnitPrice   money.Amount `json:"unit_price"`
	TotalPrice  money.Amount `json:"total_price"`
}

// String returns quantity and SKU, for lists of orders as CSV.
func (l Line) String() string { return fmt.Sprintf("%d × %s", l.Quantity, l.SKU) }

// Pickup is the store where an order waits for its customer.
type Pickup struct {
	StoreID string `json:"store_id" format:"uuid"`
}

// Find returns an order that the caller may see, by its id or its number, and a 404 problem for any other.
func Find(ctx context.Context, db web.Reader, name string) (*Order, error) {
	if id.Valid(name) {
		return Read(ctx, db, name)
	}
	orderID, err := IDOf(ctx, db, name)
	if err != nil {
		return nil, err
	}
	return Read(ctx, db, orderID)
}

// Read returns an order that the caller may see, and a 404 problem for any other.
func Read(ctx context.Context, db web.Reader, orderID string) (*Order, error) {
	if !id.Valid(orderID) {
		return nil, problem.NotFound("order")
	}
	o, err := scan(db.QueryRow(ctx, `
		SELECT `+columns+from+`
		WHERE o.order_id = @order_id AND orders.is_for_caller(customer_id, token_hash)`, pgx.NamedArgs{"order_id": orderID}))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("order")
	}
	if err != nil {
		return nil, fmt.Errorf("read order %s: %w", orderID, err)
	}
	return &o, nil
}

const (
	columns = `o.order_id::text, order_number, coalesce(customer_id::text, ''), status, reason, stock, payment, version,
			subtotal_minor, delivery_fee_minor, tax_minor, discount_minor, total_minor, currency, points,
			payment_method, coalesce(o.payment_id::text, ''),
			coalesce((SELECT uri FROM payments.payments p WHERE p.payment_id = o.payment_id AND p.status = 'created'), ''),
			coalesce(shipment_id::text, ''), carrier, tracking_number, deadline, delivered_at, locale, created_at, updated_at,
			a.store_id::text, a.email, a.name, a.phone, a.country, a.postal_code, a.prefecture, a.region, a.city, a.address_line1, a.address_line2,
			(SELECT json_agg(json_build_object('line', line, 'product_id', product_id, 'variant_id', variant_id, 'sku', sku, 'store_id', store_id,
				'store_name', store_name, 'product_name', product_name, 'quantity', quantity,
				'unit_price', json_build_object('amount_minor', unit_price_minor, 'currency', currency),
				'total_price', json_build_object('amount_minor', total_minor, 'currency', currency)) ORDER BY line)
			FROM orders.lines l WHERE l.order_id = o.order_id)`
	from = `
		FROM orders.orders o
		JOIN orders.addresses a USING (order_id)`
)

func scan(row pgx.Row) (o Order, err error) {
	var pickup *string
	var a address.StoredAddress
	err = row.Scan(
		&o.ID, &o.Number, &o.CustomerID, &o.Status, &o.Reason, &o.Stock, &o.Payment, &o.Version,
		&o.Subtotal.Minor, &o.DeliveryFee.Minor, &o.Tax.Minor, &o.Discount.Minor, &o.Total.Minor, &o.Total.Currency, &o.PointsApplied,
		&o.PaymentMethod, &o.PaymentID, &o.PaymentURI, &o.ShipmentID, &o.Carrier, &o.TrackingNumber,
		&o.Deadline, &o.DeliveredAt, &o.Locale, &o.CreatedAt, &o.UpdatedAt,
		&pickup, &o.Contact.Email, &a.Name, &a.Phone, &a.Country, &a.PostalCode, &a.Prefecture, &a.Region, &a.City, &a.AddressLine1, &a.AddressLine2,
		&o.Lines)
	if err != nil {
		return o, err
	}
	for _, amount := range []*money.Amount{&o.Subtotal, &o.DeliveryFee, &o.Tax, &o.Discount} {
		amount.Currency = o.Total.Currency
	}
	for _, at := range []*time.Time{o.Deadline, o.DeliveredAt, &o.CreatedAt, &o.UpdatedAt} {
		if at != nil {
			*at = at.UTC()
		}
	}
	o.Contact.Name, o.Contact.Phone = a.Name, a.Phone
	if pickup != nil {
		o.Pickup = &Pickup{StoreID: *pickup}
	} else {
		o.Address = &a
	}
	return o, nil
}

// ShortLines reads which lines of a rejected order were short.
func ShortLines(ctx context.Context, db web.Reader, orderID string) ([]events.ShortLine, error) {
	var said events.StockShort
	err := db.QueryRow(ctx, `
		SELECT data
		FROM bus.event
		WHERE order_id = @order_id AND type = 'stock.short'
		LIMIT 1`, pgx.NamedArgs{"order_id": orderID}).Scan(&said)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read what order %s lacks: %w", orderID, err)
	}
	return said.Lines, nil
}
