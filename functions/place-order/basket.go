package placeorder

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/problem"
)

// maxLines is the maximum of lines of an order. A merged basket may have more.
const maxLines = 100

// readBasket locks the basket of an order, if it has one, and fills in its lines. A concurrent order of the same basket
// waits and then finds it ordered.
func readBasket(ctx context.Context, tx pgx.Tx, b *Body) error {
	if b.BasketID == "" {
		return nil
	}
	if err := lockBasket(ctx, tx, b.BasketID); err != nil {
		return err
	}
	return readBasketLines(ctx, tx, b)
}

// readBasketLines makes the lines of the basket those of the order.
func readBasketLines(ctx context.Context, tx pgx.Tx, b *Body) error {
	rows, err := tx.Query(ctx, `
		SELECT CASE WHEN variant_id IS NULL THEN product_id::text ELSE '' END, coalesce(variant_id::text, ''), '', quantity
		FROM orders.basket_lines
		WHERE basket_id = @basket_id
		ORDER BY created_at, line_id`, pgx.NamedArgs{"basket_id": b.BasketID})
	if err != nil {
		return fmt.Errorf("read basket %s: %w", b.BasketID, err)
	}
	if b.Lines, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Item]); err != nil {
		return fmt.Errorf("read basket %s: %w", b.BasketID, err)
	}
	switch {
	case len(b.Lines) == 0:
		return problem.Invalid(problem.FieldError{Field: "basket_id", Message: "is empty"})
	case len(b.Lines) > maxLines:
		return problem.Invalid(problem.FieldError{
			Field: "basket_id", Message: fmt.Sprintf("has more than %d lines", maxLines),
		})
	}
	return nil
}

func lockBasket(ctx context.Context, tx pgx.Tx, basketID string) error {
	var orderID string
	var expired bool
	err := tx.QueryRow(ctx, `
		SELECT coalesce(order_id::text, ''), expires_at <= now()
		FROM orders.baskets
		WHERE basket_id = @basket_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"basket_id": basketID}).Scan(&orderID, &expired)
	switch {
	case orderID != "":
		return problem.New(http.StatusConflict, "basket-ordered",
			"This basket has been ordered already.").With("order_id", orderID)
	case errors.Is(err, pgx.ErrNoRows) || err == nil && expired:
		return problem.Invalid(problem.FieldError{Field: "basket_id", Message: "is not your basket, or has expired"})
	case err != nil:
		return fmt.Errorf("lock basket %s: %w", basketID, err)
	}
	return nil
}

// closeBasket marks the basket of an order, if it has one, as ordered.
func closeBasket(ctx context.Context, tx pgx.Tx, placed events.OrderPlaced) error {
	if placed.BasketID == "" {
		return nil
	}
	err := pgbatch.Enqueue(ctx, tx, 1, `
		UPDATE orders.baskets SET order_id = @order_id
		WHERE basket_id = @basket_id`, pgx.NamedArgs{"basket_id": placed.BasketID, "order_id": placed.OrderID})
	if err != nil {
		return fmt.Errorf("close basket %s: %w", placed.BasketID, err)
	}
	return nil
}
