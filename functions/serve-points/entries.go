package servepoints

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// PointEntry is a change of a balance. Entries are never edited.
type PointEntry struct {
	ID          string     `json:"id" format:"uuid"`
	Kind        string     `json:"kind" enum:"earn,hold,release,spend,expire,adjust,reclaim"`
	Points      int64      `json:"points" doc:"What the entry is about; below 0 where staff took points."`
	Available   int64      `json:"available" doc:"The change of what is available."`
	Held        int64      `json:"held" doc:"The change of what is held for orders."`
	Debt        int64      `json:"debt" doc:"The change of the debt."`
	OrderID     string     `json:"order_id,omitempty" format:"uuid"`
	OrderNumber string     `json:"order_number,omitempty"`
	Text        string     `json:"text,omitempty" doc:"The reason that staff gave."`
	ExpiresAt   *time.Time `json:"expires_at,omitempty" doc:"When what came in runs out."`
	At          time.Time  `json:"at"`
}

// EntryAnswer is an entry.
type EntryAnswer struct{ Body PointEntry }

// EntriesRequest selects a page of the entries of a customer.
type EntriesRequest struct {
	web.Paging
	BalanceRequest
}

const (
	entryColumns = `SELECT e.entry_id::text, e.kind, e.points, e.available, e.held, e.debt, coalesce(e.order_id::text, ''), coalesce(o.order_number, ''),
		e.reason, e.expires_at, e.at`
	fromEntries = `FROM points.entries e LEFT JOIN orders.orders o USING (order_id)`
)

func scanEntry(row pgx.CollectableRow) (e PointEntry, err error) {
	err = row.Scan(&e.ID, &e.Kind, &e.Points, &e.Available, &e.Held, &e.Debt, &e.OrderID, &e.OrderNumber, &e.Text, &e.ExpiresAt, &e.At)
	if e.ExpiresAt != nil {
		*e.ExpiresAt = e.ExpiresAt.UTC()
	}
	e.At = e.At.UTC()
	return e, err
}

// listEntries returns the entries of a customer, newest first.
func listEntries(ctx context.Context, db web.Reader, in *EntriesRequest) (items []PointEntry, total int64, err error) {
	customerID, err := in.customer(ctx)
	if err != nil {
		return nil, 0, err
	}
	return web.QueryPage(ctx, db, scanEntry, fromEntries+` WHERE e.customer_id = @customer_id`, entryColumns,
		`ORDER BY e.n DESC LIMIT @limit OFFSET @offset`,
		pgx.NamedArgs{"customer_id": customerID, "limit": in.Limit, "offset": in.Offset()})
}

// AdjustRequest adds or takes points.
type AdjustRequest struct {
	web.Key
	Body struct {
		CustomerID string `json:"customer_id" format:"uuid"`
		Points     int64  `json:"points" minimum:"-1000000" maximum:"1000000" doc:"Below 0 takes points."`
		Reason     string `json:"reason" minLength:"1" maxLength:"500" doc:"Customers see it."`
	}
}

// Resolve returns every field that is wrong.
func (in *AdjustRequest) Resolve(huma.Context) []error {
	var errs []problem.FieldError
	if !id.Valid(in.Body.CustomerID) {
		errs = append(errs, problem.FieldError{Field: "customer_id", Message: "is not a UUID"})
	}
	if in.Body.Points == 0 {
		errs = append(errs, problem.FieldError{Field: "points", Message: "must not be 0"})
	}
	return web.BodyErrors(errs)
}

// adjust adds or takes points of a customer, and returns the id of the entry.
func (h *handler) adjust(ctx context.Context, tx pgx.Tx, in *AdjustRequest) (string, []events.Event, error) {
	entryID, err := uuid.NewV7()
	if err != nil {
		return "", nil, err
	}
	by := auth.CallerFrom(ctx).ID
	_, err = tx.Exec(ctx, `
		INSERT INTO points.entries (entry_id, customer_id, kind, points, reason, by, expires_at)
		VALUES (@entry_id, @customer_id, 'adjust', @points, @reason, @by, CASE WHEN @points::bigint > 0 THEN now() + @life::interval END)`,
		pgx.NamedArgs{
			"entry_id": entryID.String(), "customer_id": in.Body.CustomerID, "points": in.Body.Points, "reason": in.Body.Reason, "by": by,
			"life": h.life,
		})
	if err != nil {
		return "", nil, adjustProblem(err)
	}
	return entryID.String(), []events.Event{events.PointsAdjusted{
		CustomerID: in.Body.CustomerID, Points: in.Body.Points, Reason: "adjustment", By: by,
	}}, nil
}

// adjustProblem returns the problem for the violation of a constraint.
func adjustProblem(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return fmt.Errorf("adjust points: %w", err)
	}
	switch pg.ConstraintName {
	case "points_cover_what_is_taken":
		return problem.New(http.StatusConflict, "not-enough-points", "The account has fewer points than that.")
	case "balances_customer_id_fkey":
		return problem.Invalid(problem.FieldError{Field: "customer_id", Message: "is not an account"})
	}
	return fmt.Errorf("adjust points: %w", err)
}

func showEntry(ctx context.Context, db web.Reader, _ *AdjustRequest, entryID string) (*EntryAnswer, error) {
	rows, err := db.Query(ctx, entryColumns+" "+fromEntries+` WHERE e.entry_id = @entry_id`, pgx.NamedArgs{"entry_id": entryID})
	if err != nil {
		return nil, fmt.Errorf("read entry %s: %w", entryID, err)
	}
	entry, err := pgx.CollectExactlyOneRow(rows, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read entry %s: %w", entryID, err)
	}
	return &EntryAnswer{entry}, nil
}
