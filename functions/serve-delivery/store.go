package servedelivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// locked is a shipment whose order is locked, so that none of both changes.
type locked struct {
	ID      string
	OrderID string
	Status  string
	Pickup  bool
	Order   order.Status
}

// lockShipment locks an order and its shipment.
func lockShipment(ctx context.Context, tx pgx.Tx, orderID string) (*locked, error) {
	if !id.Valid(orderID) {
		return nil, problem.NotFound("order")
	}
	var status order.Status
	err := tx.QueryRow(ctx, `
		SELECT status FROM orders.orders WHERE order_id = @order_id FOR NO KEY UPDATE`, pgx.NamedArgs{"order_id": orderID}).Scan(&status)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("order")
	}
	if err != nil {
		return nil, fmt.Errorf("lock order %s: %w", orderID, err)
	}
	s := &locked{OrderID: orderID, Order: status}
	err = tx.QueryRow(ctx, `
		SELECT shipment_id::text, status, pickup FROM delivery.shipments WHERE order_id = @order_id FOR NO KEY UPDATE`,
		pgx.NamedArgs{"order_id": orderID}).Scan(&s.ID, &s.Status, &s.Pickup)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.New(http.StatusConflict, "not-possible-now", "An order that is "+string(status)+" has no shipment yet.").
			With("order_id", orderID).With("order_status", status)
	}
	if err != nil {
		return nil, fmt.Errorf("lock shipment of order %s: %w", orderID, err)
	}
	return s, nil
}

// setCarrier stores who carries a shipment, and under which number; what is empty stays.
func setCarrier(ctx context.Context, tx pgx.Tx, shipmentID, carrier, number string) error {
	_, err := tx.Exec(ctx, `
		UPDATE delivery.shipments SET
			carrier = coalesce(nullif(@carrier, ''), carrier), tracking_number = coalesce(nullif(@number, ''), tracking_number)
		WHERE shipment_id = @shipment_id`, pgx.NamedArgs{"shipment_id": shipmentID, "carrier": carrier, "number": number})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.ConstraintName == "shipments_tracking_number_unique" {
		return problem.New(http.StatusConflict, "in-use", "Another shipment has this tracking number.").With("tracking_number", number)
	}
	if err != nil {
		return fmt.Errorf("change carrier of shipment %s: %w", shipmentID, err)
	}
	return nil
}

// Shipment is the goods of an order on their way.
type Shipment struct {
	ID             string     `json:"id" format:"uuid"`
	OrderID        string     `json:"order_id" format:"uuid"`
	OrderNumber    string     `json:"order_number"`
	Status         string     `json:"status" enum:"planned,preparing,ready_for_pickup,picked_up,shipped,in_transit,delivered,failed_delivery,returned,cancelled"`
	Carrier        string     `json:"carrier"`
	TrackingNumber string     `json:"tracking_number"`
	Pickup         bool       `json:"pickup" doc:"Whether the customer collects it in a store."`
	DeliveredAt    *time.Time `json:"delivered_at,omitempty"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	Tracking       []Seen     `json:"tracking" nullable:"false" doc:"Where it was, oldest first."`
}

// Seen is a state that a shipment has reached.
type Seen struct {
	Status      string    `json:"status"`
	Location    string    `json:"location,omitempty"`
	Description string    `json:"description,omitempty"`
	At          time.Time `json:"at"`
}

// String returns state and time, for lists of shipments as CSV.
func (s Seen) String() string { return s.Status + " " + s.At.UTC().Format(time.RFC3339) }

// Parcel is the public view of a shipment, by its tracking number. It has no names, addresses or orders.
type Parcel struct {
	TrackingNumber string     `json:"tracking_number"`
	Carrier        string     `json:"carrier"`
	Status         string     `json:"status"`
	DeliveredAt    *time.Time `json:"delivered_at,omitempty"`
	Tracking       []Seen     `json:"tracking" nullable:"false" doc:"Where it was, oldest first."`
}

const (
	shipmentColumns = `s.shipment_id::text, s.order_id::text, o.order_number, s.status, s.carrier, s.tracking_number, s.pickup, s.delivered_at,
		s.created_at, s.updated_at, ` + trackingColumn
	trackingColumn = `coalesce((SELECT json_agg(json_build_object('status', status, 'location', location, 'description', description, 'at', at) ORDER BY n)
		FROM delivery.tracking t WHERE t.shipment_id = s.shipment_id), '[]')`
	fromShipments = `FROM delivery.shipments s JOIN orders.orders o USING (order_id)`
)

func scanShipment(row pgx.CollectableRow) (s Shipment, err error) {
	err = row.Scan(&s.ID, &s.OrderID, &s.OrderNumber, &s.Status, &s.Carrier, &s.TrackingNumber, &s.Pickup, &s.DeliveredAt,
		&s.CreatedAt, &s.UpdatedAt, &s.Tracking)
	s.CreatedAt, s.UpdatedAt, s.DeliveredAt = s.CreatedAt.UTC(), s.UpdatedAt.UTC(), utc(s.DeliveredAt)
	return s, err
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	in := at.UTC()
	return &in
}

// ShipmentFilter selects a page of shipments. What is empty does not count.
type ShipmentFilter struct {
	web.Paging
	Status string `query:"status" maxLength:"40"`
	Q      string `query:"q" maxLength:"100" doc:"The whole order number or tracking number."`
	Sort   string `query:"sort" enum:"created_at,-created_at" default:"-created_at"`
}

// shipmentOrders are the orders of the list.
var shipmentOrders = map[string]string{
	"created_at":  `ORDER BY s.created_at, s.shipment_id LIMIT @limit OFFSET @offset`,
	"-created_at": `ORDER BY s.created_at DESC, s.shipment_id DESC LIMIT @limit OFFSET @offset`,
}

func listShipments(ctx context.Context, db web.Reader, f *ShipmentFilter) (items []Shipment, total int64, err error) {
	return web.QueryPage(ctx, db, scanShipment, fromShipments+`
		WHERE @status IN ('', s.status) AND (@q = '' OR s.tracking_number = @q OR o.order_number = @q)`,
		`SELECT `+shipmentColumns, shipmentOrders[f.Sort],
		pgx.NamedArgs{"status": f.Status, "q": f.Q, "limit": f.Limit, "offset": f.Offset()})
}

// ShipmentRequest has the id of a shipment.
type ShipmentRequest struct {
	ID string `path:"id" format:"uuid"`
}

// ShipmentAnswer is a shipment.
type ShipmentAnswer struct{ Body Shipment }

func readShipment(ctx context.Context, db web.Reader, in *ShipmentRequest) (*ShipmentAnswer, error) {
	if !id.Valid(in.ID) {
		return nil, problem.NotFound("shipment")
	}
	rows, err := db.Query(ctx, `SELECT `+shipmentColumns+` `+fromShipments+` WHERE s.shipment_id = @id`, pgx.NamedArgs{"id": in.ID})
	if err != nil {
		return nil, fmt.Errorf("read shipment %s: %w", in.ID, err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, scanShipment)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("shipment")
	}
	if err != nil {
		return nil, fmt.Errorf("read shipment %s: %w", in.ID, err)
	}
	return &ShipmentAnswer{s}, nil
}

// TrackingRequest has a tracking number.
type TrackingRequest struct {
	Number string `path:"number" maxLength:"100"`
}

// TrackingAnswer is a parcel.
type TrackingAnswer struct{ Body Parcel }

func track(ctx context.Context, db web.Reader, in *TrackingRequest) (*TrackingAnswer, error) {
	answer := &TrackingAnswer{}
	p := &answer.Body
	err := db.QueryRow(ctx, `SELECT * FROM delivery.track(@number)`, pgx.NamedArgs{"number": in.Number}).
		Scan(&p.TrackingNumber, &p.Carrier, &p.Status, &p.DeliveredAt, &p.Tracking)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("tracking number")
	}
	if err != nil {
		return nil, fmt.Errorf("track: %w", err)
	}
	p.DeliveredAt = utc(p.DeliveredAt)
	return answer, nil
}
