package followshipment

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// shipment is a shipment with its tracking log.
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

// readShipments returns the shipments of a batch by their ids.
func readShipments(
	ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.ShipmentMoved],
) (map[string]shipment, error) {
	ids := make([]string, len(batch))
	for i, d := range batch {
		ids[i] = d.Event.ShipmentID
	}
	rows, err := tx.Query(ctx, `
		SELECT shipment_id::text, carrier, tracking_number, (
			SELECT json_agg(json_build_object('status', status, 'at', at) ORDER BY n)
			FROM delivery.tracking t WHERE t.shipment_id = s.shipment_id)
		FROM delivery.shipments s
		WHERE shipment_id = ANY (@ids::uuid[])`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read %d shipments: %w", len(ids), err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[shipment])
	if err != nil {
		return nil, fmt.Errorf("read %d shipments: %w", len(ids), err)
	}
	shipments := make(map[string]shipment, len(found))
	for _, s := range found {
		shipments[s.ID] = s
	}
	return shipments, nil
}
