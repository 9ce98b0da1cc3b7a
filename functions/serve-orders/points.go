package serveorders

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderstore"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/points"
	"github.com/popup-shop/popup/internal/pointstore"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// PointsRequest sets the points of an order.
type PointsRequest struct {
	web.Key
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Points int64 `json:"points" minimum:"0" maximum:"10000" doc:"How many points lower the total, in place of those that do; 0 removes them."`
	}
}

// applyPoints sets the points of a pending order whose stock is not held yet: from then on its payment is being opened.
func applyPoints(ctx context.Context, tx pgx.Tx, in *PointsRequest) (string, []events.Event, error) {
	ok, err := isAccessible(ctx, tx, in.ID)
	if err != nil || !ok {
		return "", nil, orNotFound(err)
	}
	o, err := orderstore.Lock(ctx, tx, in.ID)
	if err != nil {
		return "", nil, err
	}
	if err := checkPoints(ctx, tx, o, in.Body.Points); err != nil || in.Body.Points == o.Points {
		return o.ID, nil, err
	}
	if err := replaceHold(ctx, tx, o, in.Body.Points); err != nil {
		return "", nil, err
	}
	return o.ID, []events.Event{events.PointsHeld{
		CustomerID: o.CustomerID, OrderID: o.ID, Points: in.Body.Points, ValueMinor: in.Body.Points * points.Value, Currency: o.Currency,
	}}, nil
}

// checkPoints returns a problem if a locked order can't have its points changed to n.
func checkPoints(ctx context.Context, tx pgx.Tx, o *order.Order, n int64) error {
	opening, err := paymentOpens(ctx, tx, o)
	full := o.TotalMinor + o.Points*points.Value
	wrong := points.Wrong(n, full)
	switch {
	case err != nil:
		return err
	case opening:
		return problem.New(http.StatusConflict, "payment-open", "The payment of the order is being opened, so its total stays.").
			With("order_id", o.ID).With("order_status", o.Status)
	case o.PaymentMethod == points.Method && full != n*points.Value:
		wrong = "must pay the whole order, whose payment method is points"
	case n < o.Points && !takes(o, full-n*points.Value):
		wrong = "leave more to pay than the payment method takes"
	case n > 0 && o.CustomerID == "":
		wrong = "are for customers with an account"
	}
	if wrong != "" {
		return problem.Invalid(problem.FieldError{Field: "points", Message: wrong})
	}
	return nil
}

// takes reports whether the payment method of an order takes a total.
func takes(o *order.Order, totalMinor int64) bool {
	m, ok := payment.MethodOf(o.PaymentMethod)
	return !ok || m.Takes(money.Amount{Minor: totalMinor, Currency: o.Currency})
}

// paymentOpens reports whether the payment of a locked order was opened, or may be from now on: create-payment waits for the lock.
func paymentOpens(ctx context.Context, tx pgx.Tx, o *order.Order) (opens bool, err error) {
	if o.Status != order.Pending || o.Payment != order.PaymentPending {
		return true, nil
	}
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM stock.reservations WHERE order_id = @order_id)
			OR EXISTS (SELECT FROM payments.payments WHERE order_id = @order_id)`, pgx.NamedArgs{"order_id": o.ID}).Scan(&opens)
	if err != nil {
		return false, fmt.Errorf("read payment of order %s: %w", o.ID, err)
	}
	return opens, nil
}

// replaceHold holds n points for the next version of a locked order, in place of those that it holds, and stores that version.
func replaceHold(ctx context.Context, tx pgx.Tx, o *order.Order, n int64) error {
	const cause = "POST /v1/orders/{id}/points"
	args := pgx.NamedArgs{
		"order_id": o.ID, "customer_id": o.CustomerID, "held": o.Points, "ref": strconv.FormatInt(o.Version+1, 10),
		"points": n, "change": (o.Points - n) * points.Value, "name": name, "cause": cause,
	}
	if o.Points > 0 {
		_, err := tx.Exec(ctx, `
			INSERT INTO points.entries (customer_id, kind, points, order_id, ref, by)
			VALUES (@customer_id, 'release', @held, @order_id, @ref, @name)`, args)
		if err != nil {
			return fmt.Errorf("release points of order %s: %w", o.ID, err)
		}
	}
	if err := pointstore.Hold(ctx, tx, o.CustomerID, o.ID, o.Version+1, n, name); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		WITH changed AS (
			UPDATE orders.orders SET version = version + 1, points = @points, discount_minor = discount_minor - @change,
				total_minor = total_minor + @change
			WHERE order_id = @order_id
			RETURNING order_id, version, status, stock, payment, reason, deadline
		)
		INSERT INTO orders.history (order_id, version, from_status, to_status, stock, payment, reason, deadline, by, cause)
		SELECT order_id, version, status, status, stock, payment, reason, deadline, @name, @cause FROM changed`, args)
	if err != nil {
		return fmt.Errorf("change points of order %s: %w", o.ID, err)
	}
	return nil
}

func showWithPoints(ctx context.Context, db web.Reader, _ *PointsRequest, orderID string) (*Answer, error) {
	o, err := orderview.Read(ctx, db, orderID)
	return &Answer{Status: http.StatusOK, Body: o}, err
}
