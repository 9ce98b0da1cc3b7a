package followshipment

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// shipment is where a shipment was seen, in order.
type shipment struct {
	ID             string
	Carrier        string
	TrackingNumber string
	Seen           []sighting
}

type sighting struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}

func readShipment(ctx context.Context, tx pgx.Tx, shipmentID string) (s shipment, err error) {
	err = tx.QueryRow(ctx, `
		SELECT shipment_id::text, carrier, tracking_number, (
			SELECT json_agg(json_build_object('status', status, 'at', at) ORDER BY n)
			FROM delivery.tracking t WHERE t.shipment_id = s.shipment_id)
		FROM delivery.shipments s
		WHERE shipment_id = @shipment_id`, pgx.NamedArgs{"shipment_id": shipmentID}).
		Scan(&s.ID, &s.Carrier, &s.TrackingNumber, &s.Seen)
	if err != nil {
		return s, fmt.Errorf("read shipment %s: %w", shipmentID, err)
	}
	return s, nil
}
