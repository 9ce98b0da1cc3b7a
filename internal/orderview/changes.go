package orderview

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

var numberForm = regexp.MustCompile(`^ORD-\d{8}-[0-9A-Z]{6}$`)

// IDOf returns the id of an order that the caller may see, by its id or its number, and a 404 problem for any other.
func IDOf(ctx context.Context, db web.Reader, name string) (orderID string, err error) {
	number := strings.ToUpper(name)
	switch {
	case id.Valid(name):
		err = db.QueryRow(ctx, `
			SELECT order_id::text
			FROM orders.orders
			WHERE order_id = @order_id AND orders.is_for_caller(customer_id, token_hash)`, pgx.NamedArgs{"order_id": name}).Scan(&orderID)
	case numberForm.MatchString(number):
		err = db.QueryRow(ctx, `
			SELECT order_id::text
			FROM orders.orders
			WHERE order_number = @number AND orders.is_for_caller(customer_id, token_hash)`, pgx.NamedArgs{"number": number}).Scan(&orderID)
	default:
		err = pgx.ErrNoRows
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return "", problem.NotFound("order")
	}
	if err != nil {
		return "", fmt.Errorf("find order: %w", err)
	}
	return orderID, nil
}

// Change is a version of an order.
type Change struct {
	ID      string    `json:"id" format:"uuid"`
	Number  string    `json:"order_number" example:"ORD-20260131-7K3QX9"`
	Version int64     `json:"version"`
	Status  string    `json:"status" enum:"pending,confirmed,processing,ready_for_pickup,picked_up,shipped,in_transit,delivered,failed_delivery,cancelling,completed,returned,cancelled,rejected,expired"`
	Stock   string    `json:"stock" enum:"pending,held,short,released,shipped"`
	Payment string    `json:"payment" enum:"pending,created,authorised,paid,failed,expired,refunding,refunded"`
	Time    time.Time `json:"time"`
}

// Latest stands for the version before the current one.
const Latest int64 = -1

// Changes returns the versions of an order after one, and a 404 problem for an order that the caller may not see.
func Changes(ctx context.Context, db web.Reader, orderID string, after int64) ([]Change, error) {
	rows, err := db.Query(ctx, `
		SELECT o.order_id::text, o.order_number, coalesce(h.version, 0), coalesce(h.to_status, ''), coalesce(h.stock, ''),
			coalesce(h.payment, ''), coalesce(h.at, o.updated_at)
		FROM orders.orders o
		LEFT JOIN orders.history h ON h.order_id = o.order_id AND h.version > CASE WHEN @after::bigint < 0 THEN o.version - 1 ELSE @after END
		WHERE o.order_id = @order_id AND orders.is_for_caller(o.customer_id, o.token_hash)
		ORDER BY h.version`, pgx.NamedArgs{"order_id": orderID, "after": after})
	if err != nil {
		return nil, fmt.Errorf("read changes of order %s: %w", orderID, err)
	}
	changes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Change])
	if err != nil {
		return nil, fmt.Errorf("read changes of order %s: %w", orderID, err)
	}
	if len(changes) == 0 {
		return nil, problem.NotFound("order")
	}
	if changes[0].Version == 0 { // there is none
		return nil, nil
	}
	for i := range changes {
		changes[i].Time = changes[i].Time.UTC()
	}
	return changes, nil
}
