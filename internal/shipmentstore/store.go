// Package shipmentstore moves shipments and logs where they were seen. The caller holds the lock of the order: a cancellation takes it
// too, so none begins while the shipment moves.
package shipmentstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/pgbatch"
)

// Sighting is a state that a shipment has reached, and what is known about it.
type Sighting struct {
	Status      string
	Location    string
	Description string
}

// Move stores the states that a shipment has gone through, and the time of its next move.
func Move(ctx context.Context, tx pgx.Tx, shipmentID string, seen []Sighting, next *time.Time) error {
	var states, locations, descriptions []string
	for _, s := range seen {
		states, locations, descriptions = append(states, s.Status), append(locations, s.Location), append(descriptions, s.Description)
	}
	err := pgbatch.Enqueue(ctx, tx, -1, `
		WITH moved AS (
			UPDATE delivery.shipments SET
				status = @last, due_at = @next, delivered_at = CASE WHEN 'delivered' = ANY (@states) THEN now() ELSE delivered_at END
			WHERE shipment_id = @shipment_id
		), seen AS (
			SELECT max(n) AS n FROM delivery.tracking WHERE shipment_id = @shipment_id
		)
		INSERT INTO delivery.tracking (shipment_id, n, status, location, description, at)
		SELECT @shipment_id, seen.n + state.n, state.status, state.location, state.description, clock_timestamp()
		FROM seen, unnest(@states::text[], @locations::text[], @descriptions::text[]) WITH ORDINALITY AS state (status, location, description, n)`,
		pgx.NamedArgs{
			"shipment_id": shipmentID, "last": states[len(states)-1], "next": next, "states": states, "locations": locations, "descriptions": descriptions,
		})
	if err != nil {
		return fmt.Errorf("move shipment %s: %w", shipmentID, err)
	}
	return nil
}
