package shiporder

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
)

// trackingNumber is the end of a shipment's id, which is random, as people write it.
func trackingNumber(shipmentID string) string {
	digits := strings.ToUpper(strings.ReplaceAll(shipmentID, "-", ""))
	return "PU" + digits[len(digits)-14:]
}

// plan stores the shipment; first is false when the order has one.
func plan(ctx context.Context, tx pgx.Tx, planned events.ShipmentCreated) (first bool, err error) {
	tag, err := tx.Exec(ctx, `
		WITH planned AS (
			INSERT INTO delivery.shipments (shipment_id, order_id, carrier, tracking_number, pickup)
			VALUES (@shipment_id, @order_id, @carrier, @tracking_number, @pickup)
			ON CONFLICT (order_id) DO NOTHING
			RETURNING shipment_id
		)
		INSERT INTO delivery.tracking (shipment_id, n, status)
		SELECT shipment_id, 1, 'planned' FROM planned`, pgx.NamedArgs{
		"shipment_id": planned.ShipmentID, "order_id": planned.OrderID, "carrier": planned.Carrier,
		"tracking_number": planned.TrackingNumber, "pickup": planned.Pickup,
	})
	if err != nil {
		return false, fmt.Errorf("plan shipment of order %s: %w", planned.OrderID, err)
	}
	return tag.RowsAffected() == 1, nil
}
