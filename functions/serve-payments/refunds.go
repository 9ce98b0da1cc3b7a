package servepayments

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/typed"
	"github.com/popup-shop/popup/internal/web"
)

// RefundRequest requests a refund of a payment.
type RefundRequest struct {
	web.Key
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Amount *money.Amount `json:"amount,omitempty" doc:"How much; in place of lines."`
		Lines  []RefundLine  `json:"lines,omitempty" maxItems:"100" doc:"Which goods; what they cost with their tax is refunded."`
		Points int64         `json:"points,omitempty" minimum:"0" doc:"How many of the points that the order was paid with are given back beside."`
		Reason string        `json:"reason" minLength:"1" maxLength:"500"`
	}
}

// RefundLine is how much of a line of the order is refunded.
type RefundLine struct {
	Line     int   `json:"line" minimum:"1"`
	Quantity int64 `json:"quantity" minimum:"1"`
}

// Refund is money that is returned to the customer.
type Refund struct {
	ID        string       `json:"id" format:"uuid"`
	PaymentID string       `json:"payment_id" format:"uuid"`
	OrderID   string       `json:"order_id" format:"uuid"`
	Amount    money.Amount `json:"amount"`
	Status    string       `json:"status" enum:"requested,refunded,failed" doc:"Failed: the provider refused. Staff can try it again."`
	Reason    string       `json:"reason"`
	By        string       `json:"by,omitempty" doc:"The account or the function that asked for it; staff only."`
	CreatedAt time.Time    `json:"created_at"`
	UpdatedAt time.Time    `json:"updated_at"`
}

// RefundAnswer is a refund.
type RefundAnswer struct {
	Status int
	Body   Refund
}

// RetryRequest names a refund that failed.
type RetryRequest struct {
	ID string `path:"id" format:"uuid"`
}

// refundable are the states of an order in which staff refunds. In the others the order is cancelled.
var refundable = []order.Status{order.Returned, order.FailedDelivery, order.Delivered, order.Completed}

// paid is a payment with its order, both locked.
type paid struct {
	OrderID  string
	Status   order.Status
	Captured int64
	Left     int64 // captured, and neither refunded nor requested to be
	Currency string
	Total    int64
	Tax      int64
	Net      int64 // of all lines and the delivery fee
}

// requestRefund stores a request, which refund-payment fulfils.
func requestRefund(ctx context.Context, tx pgx.Tx, in *RefundRequest) (string, []events.Event, error) {
	reason := typed.Line(in.Body.Reason)
	if err := checkRefund(in, reason); err != nil {
		return "", nil, err
	}
	p, err := lockPaid(ctx, tx, in.ID)
	if err != nil {
		return "", nil, err
	}
	if !slices.Contains(refundable, p.Status) {
		return "", nil, problem.New(http.StatusConflict, "not-possible-now",
			"An order that is "+string(p.Status)+" cannot be refunded. One that is not sent yet can be cancelled.").
			With("order_id", p.OrderID).With("order_status", p.Status)
	}
	amount, err := refundAmount(ctx, tx, in, p)
	if err != nil {
		return "", nil, err
	}
	if amount > p.Left {
		return "", nil, tooMuch(p.Left, p.Currency)
	}
	refundID, err := uuid.NewV7()
	if err != nil {
		return "", nil, err
	}
	requested := events.RefundRequested{
		RefundID: refundID.String(), PaymentID: in.ID, OrderID: p.OrderID, AmountMinor: amount, Currency: p.Currency,
		Points: in.Body.Points, Reason: "requested", By: auth.CallerFrom(ctx).ID,
	}
	return requested.RefundID, []events.Event{requested}, insertRequested(ctx, tx, requested, reason)
}

func checkRefund(in *RefundRequest, reason string) error {
	var errs []problem.FieldError
	if !typed.IsLine(reason) || reason == "" {
		errs = append(errs, problem.FieldError{Field: "reason", Message: "must be text in one line"})
	}
	switch {
	case (in.Body.Amount == nil) == (len(in.Body.Lines) == 0):
		errs = append(errs, problem.FieldError{Field: "amount", Message: "is needed, or lines, and not both"})
	case in.Body.Amount != nil && in.Body.Amount.Minor <= 0:
		errs = append(errs, problem.FieldError{Field: "amount.amount_minor", Message: "must be above 0"})
	}
	seen := map[int]bool{}
	for i, line := range in.Body.Lines {
		if seen[line.Line] {
			errs = append(errs, problem.FieldError{Field: fmt.Sprintf("lines[%d].line", i), Message: "is there twice"})
		}
		seen[line.Line] = true
	}
	if errs != nil {
		return problem.Invalid(errs...)
	}
	return nil
}

func tooMuch(left int64, currency string) error {
	return problem.New(http.StatusConflict, "not-possible-now", "That is more than what is left of the payment.").
		With("left", money.Amount{Minor: left, Currency: currency})
}

// lockPaid locks the order of a payment and then the payment.
func lockPaid(ctx context.Context, tx pgx.Tx, paymentID string) (p paid, err error) {
	if !id.Valid(paymentID) {
		return p, problem.NotFound("payment")
	}
	err = tx.QueryRow(ctx, `
		SELECT o.order_id::text, o.status, o.total_minor, o.tax_minor, o.subtotal_minor + o.delivery_fee_minor
		FROM orders.orders o
		WHERE order_id = (SELECT order_id FROM payments.payments WHERE payment_id = @id)
		FOR NO KEY UPDATE`, pgx.NamedArgs{"id": paymentID}).Scan(&p.OrderID, &p.Status, &p.Total, &p.Tax, &p.Net)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, problem.NotFound("payment")
	}
	if err != nil {
		return p, fmt.Errorf("lock order of payment %s: %w", paymentID, err)
	}
	err = tx.QueryRow(ctx, `
		SELECT captured_minor, currency, captured_minor - (
			SELECT coalesce(sum(amount_minor), 0) FROM payments.refunds r
			WHERE r.payment_id = p.payment_id AND of_suspense IS NULL AND r.status IN ('requested', 'refunded'))::bigint
		FROM payments.payments p
		WHERE payment_id = @id`, pgx.NamedArgs{"id": paymentID}).Scan(&p.Captured, &p.Currency, &p.Left)
	if err != nil {
		return p, fmt.Errorf("read payment %s: %w", paymentID, err)
	}
	return p, nil
}

// refundAmount returns the amount that a request names, or what its lines cost with their share of the tax and of what was
// taken off.
func refundAmount(ctx context.Context, tx pgx.Tx, in *RefundRequest, p paid) (int64, error) {
	if in.Body.Amount != nil {
		if in.Body.Amount.Currency != p.Currency {
			return 0, problem.Invalid(problem.FieldError{Field: "amount.currency", Message: "must be " + p.Currency})
		}
		return in.Body.Amount.Minor, nil
	}
	var net int64
	for i, line := range in.Body.Lines {
		var price, quantity int64
		err := tx.QueryRow(ctx, `
			SELECT unit_price_minor, quantity FROM orders.lines WHERE order_id = @order_id AND line = @line`,
			pgx.NamedArgs{"order_id": p.OrderID, "line": line.Line}).Scan(&price, &quantity)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return 0, problem.Invalid(problem.FieldError{Field: fmt.Sprintf("lines[%d].line", i), Message: "is not a line of the order"})
		case err != nil:
			return 0, fmt.Errorf("read line of order %s: %w", p.OrderID, err)
		case line.Quantity > quantity:
			return 0, problem.Invalid(problem.FieldError{Field: fmt.Sprintf("lines[%d].quantity", i), Message: fmt.Sprintf("must be at most %d", quantity)})
		}
		net += price * line.Quantity
	}
	if p.Net == 0 {
		return 0, tooMuch(0, p.Currency)
	}
	return money.Share(p.Total, net, p.Net), nil
}

// within is the constraint that a request breaks which the lock did not see: the database has the last word.
const within = "refunds_within_what_was_captured"

func insertRequested(ctx context.Context, tx pgx.Tx, r events.RefundRequested, reason string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status)
		VALUES (@refund_id, @payment_id, @order_id, @amount, @currency, @reason, @by, 'requested')`, pgx.NamedArgs{
		"refund_id": r.RefundID, "payment_id": r.PaymentID, "order_id": r.OrderID, "amount": r.AmountMinor, "currency": r.Currency,
		"reason": reason, "by": r.By,
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == within {
		return tooMuch(0, r.Currency)
	}
	if err != nil {
		return fmt.Errorf("request refund of payment %s: %w", r.PaymentID, err)
	}
	return nil
}

// retryRefund requests a refund again that the provider refused. One that is requested already stays as it is.
func retryRefund(ctx context.Context, tx pgx.Tx, in *RetryRequest) (*RefundAnswer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("refund")
	}
	rows, err := tx.Query(ctx, `
		SELECT `+refundColumns+` FROM payments.refunds WHERE refund_id = @id FOR NO KEY UPDATE`, pgx.NamedArgs{"id": in.ID})
	if err != nil {
		return nil, nil, fmt.Errorf("lock refund %s: %w", in.ID, err)
	}
	r, err := pgx.CollectOneRow(rows, scanRefund)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, problem.NotFound("refund")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("lock refund %s: %w", in.ID, err)
	}
	answer := &RefundAnswer{http.StatusAccepted, r}
	switch r.Status {
	case "requested":
		return answer, nil, nil
	case "refunded":
		return nil, nil, problem.New(http.StatusConflict, "not-possible-now", "The refund is done.")
	}
	answer.Body.Status = "requested"
	_, err = tx.Exec(ctx, `UPDATE payments.refunds SET status = 'requested' WHERE refund_id = @id`, pgx.NamedArgs{"id": in.ID})
	if err != nil {
		return nil, nil, fmt.Errorf("request refund %s again: %w", in.ID, err)
	}
	return answer, []events.Event{events.RefundRequested{
		RefundID: r.ID, PaymentID: r.PaymentID, OrderID: r.OrderID, AmountMinor: r.Amount.Minor, Currency: r.Amount.Currency,
		Reason: "requested", By: auth.CallerFrom(ctx).ID,
	}}, nil
}
