package shiporder

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
)

// trackingNumber returns a tracking number from the random end of a shipment's id.
func trackingNumber(shipmentID string) string {
	digits := strings.ToUpper(strings.ReplaceAll(shipmentID, "-", ""))
	return "PU" + digits[len(digits)-14:]
}

// insertShipments inserts shipments and returns those whose orders had none yet.
func insertShipments(
	ctx context.Context, tx pgx.Tx, planned []events.ShipmentCreated,
) ([]events.ShipmentCreated, error) {
	n := len(planned)
	if n == 0 {
		return nil, nil
	}
	var ids, orders, carriers, numbers []string
	var pickups []bool
	for _, s := range planned {
		ids = append(ids, s.ShipmentID)
		orders = append(orders, s.OrderID)
		carriers = append(carriers, s.Carrier)
		numbers = append(numbers, s.TrackingNumber)
		pickups = append(pickups, s.Pickup)
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
