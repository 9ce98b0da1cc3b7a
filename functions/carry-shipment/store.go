package carryshipment

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// lockShipment locks the order of a shipment and then the shipment, and returns its state and whether its next move is
// due. A cancellation locks the order too, so none begins while the shipment moves.
func lockShipment(ctx context.Context, tx pgx.Tx, shipmentID string) (status string, due bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT s.status, o.status NOT IN ('cancelling', 'cancelled', 'rejected', 'expired')
			AND coalesce(due_at <= clock_timestamp(), s.status = 'planned')
		FROM orders.orders o
		JOIN delivery.shipments s USING (order_id)
		WHERE s.shipment_id = @shipment_id
		FOR NO KEY UPDATE OF o, s`, pgx.NamedArgs{"shipment_id": shipmentID}).Scan(&status, &due)
	if err != nil {
		return "", false, fmt.Errorf("lock shipment %s: %w", shipmentID, err)
	}
	return status, due, nil
}
