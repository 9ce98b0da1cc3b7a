// Package placeorder checks, prices and stores an order. Whether it can be served is decided by the steps that hear of it;
// the call waits for them as long as its caller wishes.
package placeorder

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const name = "place-order"

// Settings are those that the function needs.
type Settings struct {
	config.Shop
	config.Access
}

// Check refuses settings that make no sense, by name.
func (s Settings) Check() error { return cmp.Or(s.Shop.Check(), s.Access.Check()) }

// New declares the function.
func New(settings Settings) function.Function {
	p := &placing{shop: settings.Shop}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access, web.PostIdempotent("/v1/orders", access.All, web.IdempotentCall[*Request, Placed, Answer]{
			Status: http.StatusCreated, Also: []int{http.StatusAccepted}, Do: p.place, Show: p.show,
		})),
		Emits:  []events.Event{events.OrderPlaced{}},
		Writes: []string{"orders.orders", "orders.lines", "orders.addresses", "orders.history", "orders.baskets"},
	}
}

type placing struct {
	shop    config.Shop
	watcher orderview.Watcher
}

// Placed is what is kept of a placed order under its idempotency key.
type Placed struct {
	OrderID string `json:"order_id"`
	Token   string `json:"order_token"` // of a guest's order
}

// hash is what is stored of the token.
func (p Placed) hash() []byte {
	if p.Token == "" {
		return nil
	}
	return auth.HashToken(p.Token)
}

// place stores a checked and priced order, all of it or nothing.
func (p *placing) place(ctx context.Context, tx pgx.Tx, in *Request) (Placed, []events.Event, error) {
	body := in.Body // a copy: this may be run again
	who, err := p.complete(ctx, tx, &body)
	if err != nil {
		return Placed{}, nil, err
	}
	products, err := readProducts(ctx, tx, body.Lines)
	if err != nil {
		return Placed{}, nil, err
	}
	if known, err := knowsStore(ctx, tx, body.Pickup); err != nil || !known {
		return Placed{}, nil, cmp.Or[error](err, problem.Invalid(problem.FieldError{Field: "pickup.store_id", Message: "is not one of our stores"}))
	}
	priced, err := price(body, products, p.shop.TaxJPY)
	if err != nil {
		return Placed{}, nil, err
	}
	orderID, err := uuid.NewV7()
	if err != nil {
		return Placed{}, nil, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	placed := priced.event(orderID.String(), now, p.delays(products), p.shop.HoldTime)
	placed.CustomerID, placed.BasketID = who.ID, body.BasketID
	if err := storable(placed); err != nil {
		return Placed{}, nil, err
	}
	kept := Placed{OrderID: placed.OrderID}
	if who.guest {
		kept.Token = rand.Text()
	}
	if err := auth.GrantOrderToken(ctx, tx, kept.Token); err != nil {
		return Placed{}, nil, err
	}
	if err := store(ctx, tx, now, placed, body, products, kept.hash()); err != nil {
		return Placed{}, nil, err
	}
	if err := closeBasket(ctx, tx, placed); err != nil {
		return Placed{}, nil, err
	}
	return kept, []events.Event{placed}, nil
}

// storable refuses an order whose event would be larger than events can be: with its names, which the request does not hold.
func storable(placed events.OrderPlaced) error {
	data, err := json.Marshal(placed)
	if err != nil {
		return fmt.Errorf("measure order %s: %w", placed.OrderID, err)
	}
	if len(data) <= function.MaxEventData {
		return nil
	}
	if placed.BasketID != "" {
		return problem.TooLargeToStore("basket_id")
	}
	return problem.TooLargeToStore("lines")
}

// complete adds to a request what the shop knows of whoever asks: who they are, where they live, what is in the basket.
func (p *placing) complete(ctx context.Context, tx pgx.Tx, b *Body) (who customer, err error) {
	if who, err = readCustomer(ctx, tx, b); err != nil {
		return who, err
	}
	if faults := b.faults(p.shop.PaymentMethods); faults != nil {
		return who, problem.Invalid(faults...)
	}
	if err := readAddress(ctx, tx, who.ID, b); err != nil {
		return who, err
	}
	return who, readBasket(ctx, tx, b)
}

// delays is how long stock and payment checks are put off: the shop's setting or a store's own, whichever is longest.
func (p *placing) delays(products map[string]product) delays {
	d := delays{stock: p.shop.StockCheckDelay, payment: p.shop.PaymentCheckDelay}
	for _, sold := range products {
		d.stock = max(d.stock, sold.CheckDelay)
	}
	return d
}

type delays struct{ stock, payment time.Duration }

// Answer is the order as it stands after the wait.
type Answer struct {
	Status            int
	Location          string `header:"Location"`
	PreferenceApplied string `header:"Preference-Applied"`
	Body              struct {
		*orderview.Order
		OrderToken string `json:"order_token,omitempty" doc:"opens this order, for guests; shown here only"`
	}
}

// show waits for the outcome: 201 when the order is confirmed or can be paid, 409 when it was refused, 202 otherwise.
func (p *placing) show(ctx context.Context, db web.Reader, in *Request, placed Placed) (*Answer, error) {
	p.watcher.AwaitDecision(ctx, db, placed.OrderID, orderview.Wait(in.Prefer))
	if placed.Token != "" {
		db = web.WithOrderToken(db, placed.Token)
	}
	o, err := orderview.Read(ctx, db, placed.OrderID)
	if err != nil {
		return nil, err
	}
	if order.Status(o.Status) == order.Rejected {
		return nil, refusal(ctx, db, o)
	}
	answer := &Answer{Status: http.StatusCreated, Location: "/v1/orders/" + o.ID}
	if order.Status(o.Status) == order.Pending && o.PaymentURI == "" {
		answer.Status = http.StatusAccepted
	}
	answer.Body.Order, answer.Body.OrderToken = o, placed.Token
	return answer, nil
}

// refusal tells why an order was rejected.
func refusal(ctx context.Context, db web.Reader, o *orderview.Order) error {
	if !slices.Contains([]string{order.OutOfStock, order.Invalid}, o.Reason) {
		return problem.New(http.StatusConflict, "payment-refused", "the payment was not accepted").
			With("order_id", o.ID).With("reason", o.Reason)
	}
	short, err := orderview.ShortLines(ctx, db, o.ID)
	if err != nil {
		return err
	}
	lines := make([]map[string]any, len(short))
	for i, line := range short {
		lines[i] = map[string]any{"sku": line.SKU, "store_id": line.StoreID, "requested": line.Wanted, "available": line.Available}
	}
	kind, detail := "out-of-stock", "there is not enough of what was ordered"
	if o.Reason == order.Invalid {
		kind, detail = "not-on-sale", "something that was ordered is not sold any more"
	}
	return problem.New(http.StatusConflict, kind, detail).With("order_id", o.ID).With("reason", o.Reason).With("lines", lines)
}
