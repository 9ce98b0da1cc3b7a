package serveorders

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/web"
)

// opens says whether there is such an order and the caller may change it.
func opens(ctx context.Context, tx pgx.Tx, orderID string, caller web.Caller) (bool, error) {
	if !id.Valid(orderID) {
		return false, nil
	}
	var customerID string
	var tokenHash []byte
	err := tx.QueryRow(ctx, `
		SELECT coalesce(customer_id::text, ''), token_hash
		FROM orders.orders
		WHERE order_id = @order_id`, pgx.NamedArgs{"order_id": orderID}).Scan(&customerID, &tokenHash)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read order %s: %w", orderID, err)
	}
	return orderview.Opens(caller, customerID, tokenHash), nil
}
