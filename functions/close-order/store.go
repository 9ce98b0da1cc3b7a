package closeorder

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// held reports what the shop still holds for an order.
type held struct {
	Stock         bool
	StockEver     bool
	Points        bool
	Money         bool // captured, in suspense, or a payment that can still be paid
	RefundedMinor int64
}

// HoldsAnything reports whether the order cannot end yet.
func (h held) HoldsAnything() bool { return h.Stock || h.Points || h.Money }

func readHeld(ctx context.Context, tx pgx.Tx, orderID string) (h held, err error) {
	err = tx.QueryRow(ctx, `
		SELECT
			EXISTS (SELECT FROM stock.reservations WHERE order_id = @order_id AND status = 'held'),
			EXISTS (SELECT FROM stock.reservations WHERE order_id = @order_id),
			coalesce((SELECT sum(held) > 0 FROM points.entries WHERE order_id = @order_id), false),
			EXISTS (SELECT FROM payments.payments WHERE order_id = @order_id AND (status IN ('opening', 'created') OR captured_minor > refunded_minor))
				OR EXISTS (SELECT FROM payments.suspense WHERE order_id = @order_id AND returned_at IS NULL),
			(SELECT coalesce(sum(refunded_minor), 0)::bigint FROM payments.payments WHERE order_id = @order_id)`,
		pgx.NamedArgs{"order_id": orderID}).Scan(&h.Stock, &h.StockEver, &h.Points, &h.Money, &h.RefundedMinor)
	if err != nil {
		return h, fmt.Errorf("read stock, points and money of order %s: %w", orderID, err)
	}
	return h, nil
}
