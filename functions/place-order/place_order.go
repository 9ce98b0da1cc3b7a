// Package placeorder serves POST /v1/orders. It validates an order, takes the prices from the catalogue, stores the
// order and emits order.placed. The consumers of that event then reserve the stock and open the payment.
//
// The request waits for the outcome as long as its Prefer header asks, up to ten seconds. For example, with "Prefer:
// wait=5" the response is 201 as soon as the order is confirmed or can be paid, 409 if it is rejected, and 202 if
// neither happens within five seconds.
package placeorder

import (
	"cmp"
	"context"
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
	"github.com/popup-shop/popup/internal/ordertoken"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/points"
	"github.com/popup-shop/popup/internal/pointstore"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const name = "place-order"

// Settings configures the function.
type Settings struct {
	config.Shop
	config.Access
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error { return cmp.Or(s.Shop.Check(), s.Access.Check()) }

// New returns the function.
func New(settings Settings) function.Function {
	p := &handler{shop: settings.Shop, tokens: ordertoken.NewSource(`SELECT orders.token_key()`)}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.WithSettings(settings.Shop, web.PostIdempotent("/v1/orders", access.All, web.IdempotentCall[*Request, Placed, Answer]{
				Status: http.StatusCreated, Also: []int{http.StatusAccepted}, Do: p.place, Show: p.show,
			})),
			web.Post("/v1/quotes", access.All, http.StatusOK, p.quote),
		),
		Emits:  []events.Event{events.OrderPlaced{}, events.PointsHeld{}},
		Writes: []string{"orders.orders", "orders.lines", "orders.addresses", "orders.history", "orders.baskets", "points.entries"},
	}
}

type handler struct {
	shop    config.Shop
	tokens  *ordertoken.Source
	watcher orderview.Watcher
}

// Placed is stored under the idempotency key of a request that placed an order.
type Placed struct {
	OrderID string `json:"order_id"`
	Token   string `json:"order_token"` // of a guest's order
}

// hash returns the stored hash of the token, or nil without a token.
func (p Placed) hash() []byte {
	if p.Token == "" {
		return nil
	}
	return auth.HashToken(p.Token)
}

// place validates, prices and stores an order.
func (p *handler) place(ctx context.Context, tx pgx.Tx, in *Request) (Placed, []events.Event, error) {
	body := in.Body // a copy: a retried transaction runs this again
	body.Locale = cmp.Or(body.Locale, locale(in.Languages))
	customer, err := p.prepare(ctx, tx, &body)
	if err != nil {
		return Placed{}, nil, err
	}
	products, err := readProducts(ctx, tx, body.Lines)
	if err != nil {
		return Placed{}, nil, err
	}
	if err := checkPickupStore(ctx, tx, body.Pickup); err != nil {
		return Placed{}, nil, err
	}
	priced, err := price(body, products, p.shop.TaxJPY)
	if err != nil {
		return Placed{}, nil, err
	}
	if err := checkAuthorisation(ctx, tx, body.AuthorisationID, priced.Currency); err != nil {
		return Placed{}, nil, err
	}
	orderID, err := uuid.NewV7()
	if err != nil {
		return Placed{}, nil, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	placed := priced.event(orderID.String(), now, p.delays(products), p.shop.HoldTime)
	placed.CustomerID, placed.BasketID, placed.AuthorisationID = customer.ID, body.BasketID, body.AuthorisationID
	if err := checkEventSize(placed); err != nil {
		return Placed{}, nil, err
	}
	stored, err := p.tokenFor(ctx, tx, placed.OrderID, customer)
	if err != nil {
		return Placed{}, nil, err
	}
	if err := insertOrder(ctx, tx, now, placed, body, products, stored.hash()); err != nil {
		return Placed{}, nil, err
	}
	if err := closeBasket(ctx, tx, placed); err != nil {
		return Placed{}, nil, err
	}
	emitted, err := holdPoints(ctx, tx, placed)
	return stored, append([]events.Event{placed}, emitted...), err
}

// tokenFor returns what is stored of a placed order: its id, and the token of a guest's order, with which this transaction
// may write it.
func (p *handler) tokenFor(ctx context.Context, tx pgx.Tx, orderID string, c customer) (stored Placed, err error) {
	stored.OrderID = orderID
	if c.guest {
		if stored.Token, err = p.tokens.Of(ctx, tx, orderID); err != nil {
			return stored, err
		}
	}
	return stored, auth.GrantOrderToken(ctx, tx, stored.Token)
}

// holdPoints holds the points of an order and returns the event of that, if it has any.
func holdPoints(ctx context.Context, tx pgx.Tx, placed events.OrderPlaced) ([]events.Event, error) {
	if placed.Points == 0 {
		return nil, nil
	}
	err := pointstore.Hold(ctx, tx, placed.CustomerID, placed.OrderID, placed.Version, placed.Points, name)
	return []events.Event{events.PointsHeld{
		CustomerID: placed.CustomerID, OrderID: placed.OrderID, Points: placed.Points, ValueMinor: placed.Points * points.Value,
		Currency: placed.Currency,
	}}, err
}

// checkEventSize returns a problem for an order whose event would be larger than an event may be. The event contains
// the names of the products, so the size of the request does not limit it.
func checkEventSize(placed events.OrderPlaced) error {
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

// prepare validates a request and fills in what it refers to: the caller's contact, an address of the address book, the
// lines of a basket.
func (p *handler) prepare(ctx context.Context, tx pgx.Tx, b *Body) (customer customer, err error) {
	if customer, err = readCustomer(ctx, tx, b); err != nil {
		return customer, err
	}
	if err := readAddress(ctx, tx, customer.ID, b); err != nil {
		return customer, err
	}
	return customer, readBasket(ctx, tx, b)
}

// delays returns how long to delay the stock and payment checks: the longest of the shop's setting and those of the
// stores.
func (p *handler) delays(products map[string]product) delays {
	d := delays{stock: p.shop.StockCheckDelay, payment: p.shop.PaymentCheckDelay}
	for _, sold := range products {
		d.stock = max(d.stock, sold.CheckDelay)
	}
	return d
}

type delays struct{ stock, payment time.Duration }

// Answer is the order at the end of the wait.
type Answer struct {
	Status            int
	Location          string `header:"Location"`
	PreferenceApplied string `header:"Preference-Applied"`
	Body              struct {
		*orderview.Order
		OrderToken string `json:"order_token,omitempty" doc:"For guests: gives access to this order. It is returned only once."`
	}
}

// show waits for the outcome and responds with 201 if the order is confirmed or can be paid, 409 if it was rejected,
// 202 otherwise.
func (p *handler) show(ctx context.Context, db web.Reader, in *Request, placed Placed) (*Answer, error) {
	p.watcher.AwaitDecision(ctx, db, placed.OrderID, orderview.Wait(in.Prefer))
	if placed.Token != "" {
		db = web.WithOrderToken(db, placed.Token)
	}
	o, err := orderview.Read(ctx, db, placed.OrderID)
	if err != nil {
		return nil, err
	}
	if order.Status(o.Status) == order.Rejected {
		return nil, rejection(ctx, db, o)
	}
	answer := &Answer{Status: http.StatusCreated, Location: "/v1/orders/" + o.ID}
	if order.Status(o.Status) == order.Pending && o.PaymentURI == "" {
		answer.Status = http.StatusAccepted
	}
	answer.Body.Order, answer.Body.OrderToken = o, placed.Token
	return answer, nil
}

// rejection returns the problem of a rejected order.
func rejection(ctx context.Context, db web.Reader, o *orderview.Order) error {
	if !slices.Contains([]string{order.OutOfStock, order.Invalid}, o.Reason) {
		return problem.New(http.StatusConflict, "payment-refused", "The payment was not accepted.").
			With("order_id", o.ID).With("reason", o.Reason)
	}
	short, err := orderview.ShortLines(ctx, db, o.ID)
	if err != nil {
		return err
	}
	lines := make([]map[string]any, len(short))
	for i, line := range short {
		lines[i] = map[string]any{
			"sku": line.SKU, "store_id": line.StoreID, "requested": line.Wanted, "available": line.Available,
		}
	}
	kind, detail := "out-of-stock", "There is not enough stock for this order."
	if o.Reason == order.Invalid {
		kind, detail = "not-on-sale", "An item of the order is not on sale any more."
	}
	return problem.New(http.StatusConflict, kind, detail).With("order_id", o.ID).With("reason", o.Reason).With("lines",
		lines)
}
