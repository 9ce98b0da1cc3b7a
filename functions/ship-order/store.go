package shiporder

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
)

// trackingNumber returns the end of a shipment's id, which is random, as people write it.
func trackingNumber(shipmentID string) string {
	digits := strings.ToUpper(strings.ReplaceAll(shipmentID, "-", ""))
	return "PU" + digits[len(digits)-14:]
}

// store stores planned shipments and returns those whose orders had none yet.
func store(ctx context.Context, tx pgx.Tx, planned []events.ShipmentCreated) ([]events.ShipmentCreated, error) {
	n := len(planned)
	if n == 0 {
		return nil, nil
	}
	ids, orders, carriers, numbers, pickups := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]bool, n)
	for i, s := range planned {
		ids[i], orders[i], carriers[i], numbers[i], pickups[i] = s.ShipmentID, s.OrderID, s.Carrier, s.TrackingNumber, s.Pickup
	}
	rows, err := tx.Query(ctx, `
		WITH stored AS (
			INSERT INTO delivery.shipments (shipment_id, order_id, carrier, tracking_number, pickup)
			SELECT shipment_id, order_id, carrier, tracking_number, pickup
			FROM unnest(@ids::uuid[], @orders::uuid[], @carriers::text[], @numbers::text[], @pickups::boolean[])
				AS planned (shipment_id, order_id, carrier, tracking_number, pickup)
			ON CONFLICT (order_id) DO NOTHING
			RETURNING shipment_id
		)
		INSERT INTO delivery.tracking (shipment_id, n, status)
		SELECT shipment_id, 1, 'planned' FROM stored
		RETURNING shipment_id::text`, pgx.NamedArgs{"ids": ids, "orders": orders, "carriers": carriers, "numbers": numbers, "pickups": pickups})
	if err != nil {
		return nil, fmt.Errorf("store %d shipments: %w", n, err)
	}
	stored, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("store %d shipments: %w", n, err)
	}
	return slices.DeleteFunc(planned, func(s events.ShipmentCreated) bool { return !slices.Contains(stored, s.ShipmentID) }), nil
}
