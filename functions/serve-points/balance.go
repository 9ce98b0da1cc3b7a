package servepoints

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// BalanceRequest names a customer. Rows of others are visible to staff only.
type BalanceRequest struct {
	CustomerID string `query:"customer_id" format:"uuid" doc:"For staff: another customer than the caller."`
}

// customer returns the id of the customer that a request of ctx is about.
func (in *BalanceRequest) customer(ctx context.Context) (string, error) {
	if in.CustomerID != "" && !id.Valid(in.CustomerID) {
		return "", problem.Invalid(problem.FieldError{Field: "customer_id", Message: "is not a UUID"})
	}
	return cmp.Or(in.CustomerID, auth.CallerFrom(ctx).ID), nil
}

// PointBalance is what a customer has. It is the sum of the entries.
type PointBalance struct {
	Available int64      `json:"available" doc:"What an order can use now."`
	Held      int64      `json:"held" doc:"What lowers the totals of orders that are not completed."`
	Pending   int64      `json:"pending" doc:"What the orders that are not completed will earn."`
	Debt      int64      `json:"debt" doc:"What refunds took back and was not there any more; what comes in pays it first."`
	UpdatedAt *time.Time `json:"updated_at,omitempty" doc:"The time of the last entry."`
}

// BalanceAnswer is a balance.
type BalanceAnswer struct{ Body PointBalance }

// readBalance returns zeros for a customer without entries.
func (h *handler) readBalance(ctx context.Context, db web.Reader, in *BalanceRequest) (*BalanceAnswer, error) {
	customerID, err := in.customer(ctx)
	if err != nil {
		return nil, err
	}
	args := pgx.NamedArgs{"customer_id": customerID, "per": h.per}
	out := &BalanceAnswer{}
	b := &out.Body
	err = db.QueryRow(ctx, `
		SELECT least(available, points.unexpired(customer_id)), held, debt, updated_at
		FROM points.balances
		WHERE customer_id = @customer_id`, args).Scan(&b.Available, &b.Held, &b.Debt, &b.UpdatedAt)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read points of customer %s: %w", customerID, err)
	}
	if b.UpdatedAt != nil {
		*b.UpdatedAt = b.UpdatedAt.UTC()
	}
	err = db.QueryRow(ctx, `
		SELECT coalesce(sum(total_minor / nullif(@per::bigint, 0)), 0)::bigint
		FROM orders.orders
		WHERE customer_id = @customer_id AND deadline IS NOT NULL AND status <> 'cancelling'`, args).Scan(&b.Pending)
	if err != nil {
		return nil, fmt.Errorf("read pending points of customer %s: %w", customerID, err)
	}
	return out, nil
}
