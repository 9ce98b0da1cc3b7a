// Package serveorders serves the orders of customers and staff: it lists, returns, cancels and claims them.
package serveorders

import (
	"cmp"
	"context"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderstore"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-orders"

// ownerOrToken admits customers and callers with an order token. The database checks that the order is theirs.
var ownerOrToken = access.Any(access.Customer, access.OrderToken)

// Settings configures the function.
type Settings struct {
	config.Shop
	config.Access
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error { return cmp.Or(s.Shop.Check(), s.Access.Check()) }

// New returns the function.
func New(settings Settings) function.Function {
	s := &handler{times: orderstore.Times(settings.Shop), cookies: auth.Cookies{Secure: settings.Access.Secure()}}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.List("/v1/orders", access.Customer, orderview.List),
			web.Post("/v1/orders/hide", access.Staff, http.StatusOK, hide),
			web.Post("/v1/orders/find", access.Credentials, http.StatusOK, find),
			web.Get("/v1/orders/{id}", ownerOrToken, read),
			web.Get("/v1/orders/{id}/events", ownerOrToken, readEvents),
			web.PostIdempotent("/v1/orders/{id}/cancel", ownerOrToken, web.IdempotentCall[*CancelRequest, string, Answer]{
				Status: http.StatusOK, Also: []int{http.StatusAccepted}, Do: s.cancel, Show: s.show,
			}),
			web.PostIdempotent("/v1/orders/{id}/points", access.Account, web.IdempotentCall[*PointsRequest, string, Answer]{
				Status: http.StatusOK, Do: applyPoints, Show: showWithPoints,
			}),
			web.Post("/v1/orders/{id}/session", access.Credentials, http.StatusOK, s.openSession),
			web.Post("/v1/orders/{id}/claim", access.Account, http.StatusOK, claim),
			web.Get("/v1/insights/daily", access.Staff, readFigures),
			web.List("/v1/orders/{id}/notes", access.Staff, listNotes),
			web.Post("/v1/orders/{id}/notes", access.Staff, http.StatusCreated, addNote),
		),
		Emits:  []events.Event{events.OrderWithdrawn{}, events.OrderHidden{}, events.ShipmentMoved{}, events.PointsHeld{}},
		Writes: []string{"orders.orders", "orders.history", "orders.notes", "orders.hidden", "accounts.throttles", "delivery.shipments", "delivery.tracking", "points.entries"},
	}
}

type handler struct {
	times   order.Times
	cookies auth.Cookies
	watcher orderview.Watcher
}

// Request has the id of an order, and the token of a guest's order.
type Request struct {
	ID         string `path:"id" format:"uuid"`
	OrderToken string `header:"Popup-Order-Token" maxLength:"100" doc:"For guests: gives access to this order."`
}

// Answer is the current state of an order.
type Answer struct {
	Status int
	Body   *orderview.Order
}

// ReadRequest names an order by its id or its number.
type ReadRequest struct {
	ID         string `path:"id" maxLength:"100" doc:"Id or number of the order."`
	OrderToken string `header:"Popup-Order-Token" maxLength:"100" doc:"For guests: gives access to this order."`
}

func read(ctx context.Context, db web.Reader, in *ReadRequest) (*Answer, error) {
	o, err := orderview.Find(ctx, db, in.ID)
	return &Answer{Status: http.StatusOK, Body: o}, err
}

// CancelRequest cancels an order.
type CancelRequest struct {
	web.Key
	Request
	Prefer string `header:"Prefer" maxLength:"100" doc:"wait=N waits for the end of the cancellation up to N seconds: at most 10, by default 2."`
	Body   struct {
		Reason string `json:"reason" maxLength:"500"`
	}
}

// cancel starts the cancellation of an order and of its shipment. The consumers of its events release the stock and
// refund the money.
func (s *handler) cancel(ctx context.Context, tx pgx.Tx, in *CancelRequest) (string, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	ok, err := isAccessible(ctx, tx, in.ID)
	if err != nil || !ok {
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
	emitted, refusal, err := orderstore.Withdraw(ctx, tx, o, orderstore.Withdrawal{
		By: by, Reason: in.Body.Reason, Name: name, Cause: "POST /v1/orders/{id}/cancel",
	}, s.times)
	if err != nil {
		return "", nil, err
	}
	if refusal != nil {
		return "", nil, notCancellable(o.ID, refusal)
	}
	return o.ID, emitted, nil
}

// notCancellable returns the problem of an order that can no longer be cancelled.
func notCancellable(orderID string, r *orderstore.Refusal) error {
	detail := "An order that is " + string(r.Order) + " cannot be cancelled."
	if r.Shipment != "" {
		detail = "The order cannot be cancelled any more: its shipment is " + r.Shipment + "."
	}
	return problem.New(http.StatusConflict, "not-possible-now", detail).With("order_id", orderID).With("order_status", r.Order)
}

func orNotFound(err error) error {
	if err == nil {
		return problem.NotFound("order")
	}
	return err
}

// show waits for the end of the cancellation and responds with 200 if the order is cancelled, 202 otherwise.
func (s *handler) show(ctx context.Context, db web.Reader, in *CancelRequest, orderID string) (*Answer, error) {
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
