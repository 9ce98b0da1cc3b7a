// Package serveorders shows orders to those who may see them, and cancels them.
package serveorders

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderstore"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-orders"

// holder is whoever may own an order, or show its token.
var holder = access.Any(access.Customer, access.OrderToken)

// Settings are those that the function needs.
type Settings struct {
	config.Shop
	config.Access
}

// Check refuses settings that make no sense, by name.
func (s Settings) Check() error { return cmp.Or(s.Shop.Check(), s.Access.Check()) }

// New declares the function.
func New(settings Settings) function.Function {
	s := &serving{times: orderstore.Times(settings.Shop)}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.List("/v1/orders", access.Customer, orderview.List),
			web.Get("/v1/orders/{id}", holder, read),
			web.Get("/v1/orders/{id}/events", holder, readEvents),
			web.PostIdempotent("/v1/orders/{id}/cancel", holder, web.IdempotentCall[*CancelRequest, string, Answer]{
				Status: http.StatusOK, Also: []int{http.StatusAccepted}, Do: s.cancel, Show: s.show,
			}),
			web.Post("/v1/orders/{id}/claim", access.Account, http.StatusOK, claim),
		),
		Emits:  []events.Event{events.OrderWithdrawn{}, events.ShipmentMoved{}},
		Writes: []string{"orders.orders", "orders.history", "delivery.shipments", "delivery.tracking"},
	}
}

type serving struct {
	times   order.Times
	watcher orderview.Watcher
}

// Request names an order.
type Request struct {
	ID         string `path:"id" format:"uuid"`
	OrderToken string `header:"Popup-Order-Token" maxLength:"100" doc:"for guests: opens this order"`
}

// Answer is an order as it stands.
type Answer struct {
	Status int
	Body   *orderview.Order
}

func read(ctx context.Context, db web.Reader, in *Request) (*Answer, error) {
	o, err := orderview.Read(ctx, db, in.ID)
	return &Answer{Status: http.StatusOK, Body: o}, err
}

// Event is an event of an order as its customer sees it: without inner data.
type Event struct {
	ID    string    `json:"id" format:"uuid"`
	Type  string    `json:"type" example:"order.placed"`
	Alias string    `json:"alias,omitempty" example:"ORDER_REQUESTED"`
	Time  time.Time `json:"time"`
	Cause string    `json:"causation_id"`
	Data  any       `json:"data,omitempty" doc:"for staff"`
}

// Events are all events of an order, in the order in which they were said.
type Events struct {
	Body struct {
		Items []Event `json:"items"`
	}
}

func readEvents(ctx context.Context, db web.Reader, in *Request) (*Events, error) {
	caller := auth.CallerFrom(ctx)
	if _, err := orderview.Read(ctx, db, in.ID); err != nil {
		return nil, err
	}
	said, err := eventstore.OfOrder(ctx, db, in.ID)
	if err != nil {
		return nil, err
	}
	answer := &Events{}
	answer.Body.Items = make([]Event, len(said))
	for i, m := range said {
		entry := eventstore.EntryOf(m)
		answer.Body.Items[i] = Event{ID: entry.ID, Type: entry.Type, Alias: entry.Alias, Time: entry.Time, Cause: entry.Cause}
		if caller.IsStaff() {
			answer.Body.Items[i].Data = entry.Data
		}
	}
	return answer, nil
}

// CancelRequest asks to undo an order.
type CancelRequest struct {
	web.Key
	Request
	Prefer string `header:"Prefer" maxLength:"100" doc:"wait=N: how many seconds to wait for the end, 2 unless said, 10 at most"`
	Body   struct {
		Reason string `json:"reason" maxLength:"500"`
	}
}

// cancel begins the undo, and cancels the shipment with it. The consumers of its events give back stock and money.
func (s *serving) cancel(ctx context.Context, tx pgx.Tx, in *CancelRequest) (string, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	if open, err := opens(ctx, tx, in.ID); err != nil || !open {
		return "", nil, orNotFound(err)
	}
	o, err := orderstore.Lock(ctx, tx, in.ID)
	if err != nil {
		return "", nil, err
	}
	by := "customer"
	if caller.IsStaff() {
		by = "staff"
	}
	said, refusal, err := orderstore.Withdraw(ctx, tx, o, orderstore.Withdrawal{
		By: by, Reason: in.Body.Reason, Name: name, Cause: "POST /v1/orders/{id}/cancel",
	}, s.times)
	if err != nil {
		return "", nil, err
	}
	if refusal != nil {
		return "", nil, tooLate(o.ID, refusal)
	}
	return o.ID, said, nil
}

// tooLate is the problem of an order that cannot be cancelled any more.
func tooLate(orderID string, r *orderstore.Refusal) error {
	why := "An order that is " + string(r.Order) + " cannot be cancelled."
	if r.Shipment != "" {
		why = "The order cannot be cancelled any more: its shipment is " + r.Shipment + "."
	}
	return problem.New(http.StatusConflict, "not-possible-now", why).With("order_id", orderID).With("order_status", r.Order)
}

func orNotFound(err error) error {
	if err == nil {
		return problem.NotFound("order")
	}
	return err
}

// show waits for the end of the undo: 200 when the order is cancelled, 202 while it is being undone.
func (s *serving) show(ctx context.Context, db web.Reader, in *CancelRequest, orderID string) (*Answer, error) {
	s.watcher.AwaitDecision(ctx, db, orderID, orderview.Wait(in.Prefer))
	o, err := orderview.Read(ctx, db, orderID)
	if err != nil {
		return nil, err
	}
	answer := &Answer{Status: http.StatusOK, Body: o}
	if order.Status(o.Status) == order.Cancelling {
		answer.Status = http.StatusAccepted
	}
	return answer, nil
}
