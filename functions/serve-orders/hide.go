package serveorders

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
)

// HideRequest takes orders out of the lists of staff.
type HideRequest struct {
	Body struct {
		IDs    []string `json:"ids" minItems:"1" maxItems:"100" nullable:"false"`
		Reason string   `json:"reason,omitempty" maxLength:"500"`
	}
}

// HideAnswer has a result for each order of the request.
type HideAnswer struct {
	Body struct {
		Results []HideResult `json:"results" nullable:"false"`
	}
}

// HideResult is whether an order is hidden.
type HideResult struct {
	ID     string `json:"id" format:"uuid"`
	Hidden bool   `json:"hidden" doc:"False for an order that has not ended, or does not exist."`
}

// hide is called by staff. It takes orders that have ended out of the lists of staff; the orders, their histories and what
// their customers see stay. One that cannot be hidden stops no other.
func hide(ctx context.Context, tx pgx.Tx, in *HideRequest) (*HideAnswer, []events.Event, error) {
	for i, orderID := range in.Body.IDs {
		if !id.Valid(orderID) {
			return nil, nil, problem.Invalid(problem.FieldError{Field: fmt.Sprintf("ids[%d]", i), Message: "is not a UUID"})
		}
	}
	by := auth.CallerFrom(ctx).ID
	emitted, err := insertHidden(ctx, tx, in.Body.IDs, by, in.Body.Reason)
	if err != nil {
		return nil, nil, err
	}
	hidden, err := hiddenOf(ctx, tx, in.Body.IDs)
	if err != nil {
		return nil, nil, err
	}
	answer := &HideAnswer{}
	answer.Body.Results = []HideResult{}
	for _, orderID := range in.Body.IDs {
		answer.Body.Results = append(answer.Body.Results, HideResult{ID: orderID, Hidden: slices.Contains(hidden, orderID)})
	}
	return answer, emitted, nil
}

// insertHidden hides those of the orders that have ended and are not hidden yet, and returns an event for each. An order has a
// deadline until it has ended.
func insertHidden(ctx context.Context, tx pgx.Tx, orderIDs []string, by, reason string) (emitted []events.Event, err error) {
	rows, err := tx.Query(ctx, `
		INSERT INTO orders.hidden (order_id, version, by, reason)
		SELECT order_id, version, @by, @reason
		FROM orders.orders
		WHERE order_id = ANY (@order_ids::uuid[]) AND deadline IS NULL
		ORDER BY order_id
		ON CONFLICT (order_id) DO NOTHING
		RETURNING order_id::text, version`, pgx.NamedArgs{"order_ids": orderIDs, "by": by, "reason": reason})
	if err != nil {
		return nil, fmt.Errorf("hide orders: %w", err)
	}
	event := events.OrderHidden{By: by}
	_, err = pgx.ForEachRow(rows, []any{&event.OrderID, &event.Version}, func() error {
		emitted = append(emitted, event)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("hide orders: %w", err)
	}
	return emitted, nil
}

// hiddenOf returns which of the orders are hidden.
func hiddenOf(ctx context.Context, tx pgx.Tx, orderIDs []string) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT order_id::text FROM orders.hidden WHERE order_id = ANY (@order_ids::uuid[])`, pgx.NamedArgs{"order_ids": orderIDs})
	if err != nil {
		return nil, fmt.Errorf("read hidden orders: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read hidden orders: %w", err)
	}
	return found, nil
}
