package serveorders

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
)

// isAccessible reports whether the order exists and the caller has access to it.
func isAccessible(ctx context.Context, tx pgx.Tx, orderID string) (ok bool, err error) {
	if !id.Valid(orderID) {
		return false, nil
	}
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM orders.orders WHERE order_id = @order_id AND orders.is_for_caller(customer_id, token_hash))`,
		pgx.NamedArgs{"order_id": orderID}).Scan(&ok)
	if err != nil {
		return false, fmt.Errorf("read order %s: %w", orderID, err)
	}
	return ok, nil
}

// claimOrder transfers the order of a token to a customer, and invalidates the token. It reports whether it did.
func claimOrder(ctx context.Context, tx pgx.Tx, orderID, orderToken, customerID string) (claimed bool, err error) {
	if err := auth.GrantOrderToken(ctx, tx, orderToken); err != nil {
		return false, err
	}
	tag, err := tx.Exec(ctx, `
		WITH taken AS (
			UPDATE orders.orders SET customer_id = @customer_id, token_hash = NULL, version = version + 1
			WHERE order_id = @order_id AND token_hash = @token_hash
			RETURNING order_id, version, status, stock, payment, reason, deadline
		)
		INSERT INTO orders.history (order_id, version, from_status, to_status, stock, payment, reason, deadline, by, cause)
		SELECT order_id, version, status, status, stock, payment, reason, deadline, 'customer', 'POST /v1/orders/{id}/claim' FROM taken`,
		pgx.NamedArgs{"order_id": orderID, "token_hash": auth.HashToken(orderToken), "customer_id": customerID})
	if err != nil {
		return false, fmt.Errorf("claim order %s for user %s: %w", orderID, customerID, err)
	}
	return tag.RowsAffected() == 1, nil
}
