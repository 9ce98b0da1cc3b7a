package servedelivery

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/delivery"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/shipmentstore"
	"github.com/popup-shop/popup/internal/web"
)

// ShipRequest marks an order as shipped.
type ShipRequest struct {
	web.Key
	ID     string `path:"id" format:"uuid"`
	Prefer string `header:"Prefer" maxLength:"100" doc:"wait=N waits until the order is shipped up to N seconds: at most 10, by default 2."`
	Body   struct {
		Carrier        string `json:"carrier,omitempty" maxLength:"100" doc:"Who carries it; left out, it stays as planned." example:"DHL"`
		TrackingNumber string `json:"tracking_number,omitempty" maxLength:"100" doc:"The carrier's number; left out, it stays as planned."`
	}
}

// MoveRequest sets the state of an order's shipment.
type MoveRequest struct {
	web.Key
	ID     string `path:"id" format:"uuid"`
	Prefer string `header:"Prefer" maxLength:"100" doc:"wait=N waits until the order has followed up to N seconds: at most 10, by default 2."`
	Body   struct {
		Status      string `json:"status" enum:"preparing,ready_for_pickup,picked_up,shipped,in_transit,delivered,failed_delivery,returned"`
		Location    string `json:"location,omitempty" maxLength:"200"`
		Description string `json:"description,omitempty" maxLength:"500"`
	}
}

// OrderAnswer is the order of a shipment that was moved.
type OrderAnswer struct {
	Status int
	Body   *orderview.Order
}

// ship sends the goods of an order that is confirmed or processing, and paid.
func ship(ctx context.Context, tx pgx.Tx, in *ShipRequest) (string, []events.Event, error) {
	s, err := lockShipment(ctx, tx, in.ID)
	if err != nil {
		return "", nil, err
	}
	if err := setCarrier(ctx, tx, s.ID, in.Body.Carrier, in.Body.TrackingNumber); err != nil {
		return "", nil, err
	}
	return s.move(ctx, tx, shipmentstore.Sighting{Status: "shipped"})
}

// setStatus moves the shipment of an order to a state that may follow its own.
func setStatus(ctx context.Context, tx pgx.Tx, in *MoveRequest) (string, []events.Event, error) {
	s, err := lockShipment(ctx, tx, in.ID)
	if err != nil {
		return "", nil, err
	}
	return s.move(ctx, tx, shipmentstore.Sighting{Status: in.Body.Status, Location: in.Body.Location, Description: in.Body.Description})
}

// move moves a locked shipment, and returns the id of its order and the events.
func (s *locked) move(ctx context.Context, tx pgx.Tx, seen shipmentstore.Sighting) (orderID string, moved []events.Event, err error) {
	states, ok := delivery.Way(s.Status, seen.Status, s.Pickup)
	if !ok { // a cancelled shipment can become nothing
		return "", nil, notPossible(s, "A shipment that is "+s.Status+" cannot become "+seen.Status+".")
	}
	now := time.Now().UTC()
	var steps []shipmentstore.Sighting
	from := s.Status
	for _, state := range states {
		step := shipmentstore.Sighting{Status: state}
		if state == seen.Status {
			step = seen
		}
		steps = append(steps, step)
		moved = append(moved, events.ShipmentMoved{
			ShipmentID: s.ID, OrderID: s.OrderID, From: from, To: state, Location: step.Location, Description: step.Description, By: "staff", At: now,
		})
		from = state
	}
	return s.OrderID, moved, shipmentstore.Move(ctx, tx, s.ID, steps, nil)
}

func notPossible(s *locked, detail string) error {
	return problem.New(http.StatusConflict, "not-possible-now", detail).
		With("order_id", s.OrderID).With("order_status", s.Order).With("shipment_status", s.Status)
}

func showShipped(ctx context.Context, db web.Reader, in *ShipRequest, orderID string) (*OrderAnswer, error) {
	return awaitStatus(ctx, db, orderID, order.Shipped, orderview.Wait(in.Prefer))
}

func showOrder(ctx context.Context, db web.Reader, in *MoveRequest, orderID string) (*OrderAnswer, error) {
	want, _ := order.StatusFor(in.Body.Status)
	return awaitStatus(ctx, db, orderID, want, orderview.Wait(in.Prefer))
}

const pollInterval = 50 * time.Millisecond

// awaitStatus returns the order once it has reached a status or gone on from there, with 200, or as it is when the time is up, with 202.
func awaitStatus(ctx context.Context, db web.Reader, orderID string, want order.Status, atMost time.Duration) (*OrderAnswer, error) {
	until := time.Now().Add(atMost)
	for {
		o, err := orderview.Read(ctx, db, orderID)
		if err != nil {
			return nil, err
		}
		if reached(order.Status(o.Status), want) {
			return &OrderAnswer{http.StatusOK, o}, nil
		}
		if time.Now().After(until) {
			return &OrderAnswer{http.StatusAccepted, o}, nil
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// reached reports whether an order that is in a status was in another one, or is.
func reached(is, want order.Status) bool {
	way := []order.Status{
		order.Pending, order.Confirmed, order.Processing, order.ReadyForPickup, order.PickedUp, order.Shipped, order.InTransit, order.FailedDelivery,
		order.Delivered, order.Completed,
	}
	return is == want || !slices.Contains(way, is) || slices.Index(way, is) > slices.Index(way, want)
}
