package servepayments

import (
	"context"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const refundColumns = `refund_id::text, payment_id::text, order_id::text, amount_minor, currency, status, reason, by, created_at, updated_at`

func scanRefund(row pgx.CollectableRow) (r Refund, err error) {
	err = row.Scan(&r.ID, &r.PaymentID, &r.OrderID, &r.Amount.Minor, &r.Amount.Currency, &r.Status, &r.Reason, &r.By, &r.CreatedAt, &r.UpdatedAt)
	r.CreatedAt, r.UpdatedAt = r.CreatedAt.UTC(), r.UpdatedAt.UTC()
	return r, err
}

func findRefund(ctx context.Context, db web.Reader, refundID string) (Refund, error) {
	if !id.Valid(refundID) {
		return Refund{}, problem.NotFound("refund")
	}
	r, err := find(ctx, db, "refund", `SELECT `+refundColumns+` FROM payments.refunds WHERE refund_id = @id`,
		pgx.NamedArgs{"id": refundID}, scanRefund)
	if !auth.CallerFrom(ctx).IsStaff() {
		r.By = ""
	}
	return r, err
}

// RefundsAnswer is all refunds of a payment, the newest first.
type RefundsAnswer struct {
	Body struct {
		Items []Refund `json:"items" nullable:"false"`
	}
}

func listRefunds(ctx context.Context, db web.Reader, in *PaymentRequest) (*RefundsAnswer, error) {
	if _, err := readPayment(ctx, db, in); err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, `
		SELECT `+refundColumns+` FROM payments.refunds WHERE payment_id = @id ORDER BY created_at DESC, refund_id`, pgx.NamedArgs{"id": in.ID})
	if err != nil {
		return nil, fmt.Errorf("read refunds of payment %s: %w", in.ID, err)
	}
	answer := &RefundsAnswer{}
	if answer.Body.Items, err = pgx.CollectRows(rows, scanRefund); err != nil {
		return nil, fmt.Errorf("read refunds of payment %s: %w", in.ID, err)
	}
	return answer, nil
}

func readRefund(ctx context.Context, db web.Reader, in *PaymentRequest) (*RefundAnswer, error) {
	r, err := findRefund(ctx, db, in.ID)
	return &RefundAnswer{http.StatusOK, r}, err
}

func showRefund(ctx context.Context, db web.Reader, _ *RefundRequest, refundID string) (*RefundAnswer, error) {
	r, err := findRefund(ctx, db, refundID)
	return &RefundAnswer{http.StatusAccepted, r}, err
}
