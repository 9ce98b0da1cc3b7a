package carryshipment

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/pgbatch"
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

// move stores the states that a shipment has gone through, and the time of its next move.
func move(ctx context.Context, tx pgx.Tx, shipmentID string, states []string, next *time.Time) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		WITH moved AS (
			UPDATE delivery.shipments SET
				status = @last, due_at = @next, delivered_at = CASE WHEN @last = 'delivered' THEN now() ELSE delivered_at END
			WHERE shipment_id = @shipment_id
		), seen AS (
			SELECT max(n) AS n FROM delivery.tracking WHERE shipment_id = @shipment_id
		)
		INSERT INTO delivery.tracking (shipment_id, n, status, at)
		SELECT @shipment_id, seen.n + state.n, state.status, clock_timestamp()
		FROM seen, unnest(@states::text[]) WITH ORDINALITY AS state (status, n)`,
		pgx.NamedArgs{"shipment_id": shipmentID, "last": states[len(states)-1], "next": next, "states": states})
	if err != nil {
		return fmt.Errorf("move shipment %s: %w", shipmentID, err)
	}
	return nil
}
