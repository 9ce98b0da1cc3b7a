package serveorders

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const (
	day         = 24 * time.Hour
	figuresDays = 366 // that one request may cover
)

// FiguresRequest selects days.
type FiguresRequest struct {
	From time.Time `query:"from" doc:"A day or moment; 30 days ago by default."`
	To   time.Time `query:"to" doc:"A day or moment, which is not included; now by default."`
}

// DayFigures are the figures of a day, in UTC.
type DayFigures struct {
	Day     string         `json:"day" format:"date"`
	Orders  int64          `json:"orders" doc:"That were placed."`
	Kept    int64          `json:"kept" doc:"Of these, those that were confirmed and not cancelled."`
	Items   int64          `json:"items" doc:"Pieces in the orders that were kept."`
	Revenue []money.Amount `json:"revenue" nullable:"false" doc:"Totals of the orders that were kept, by currency."`
}

// FiguresAnswer has the days on which there were orders, in their order.
type FiguresAnswer struct {
	Body struct {
		Items []DayFigures `json:"items" nullable:"false"`
		AsOf  time.Time    `json:"as_of"`
	}
}

// readFigures is called by staff. The figures are those of the orders themselves.
func readFigures(ctx context.Context, db web.Reader, in *FiguresRequest) (*FiguresAnswer, error) {
	now := time.Now().UTC()
	if in.To.IsZero() {
		in.To = now
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-30 * day).Truncate(day)
	}
	if in.To.Before(in.From) || in.To.Sub(in.From) > figuresDays*day {
		return nil, problem.Invalid(problem.FieldError{Field: "to", Message: "must be after from, at most 366 days"})
	}
	out := &FiguresAnswer{}
	out.Body.AsOf = now
	var err error
	out.Body.Items, err = countByDay(ctx, db, in.From, in.To)
	return out, err
}

// countByDay reads the orders of a time by their ids, which begin with the time.
func countByDay(ctx context.Context, db web.Reader, from, to time.Time) (days []DayFigures, err error) {
	rows, err := db.Query(ctx, `
		SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, currency, count(*),
			count(*) FILTER (WHERE kept), coalesce(sum(pieces) FILTER (WHERE kept), 0)::bigint, coalesce(sum(total_minor) FILTER (WHERE kept), 0)::bigint
		FROM (
			SELECT o.created_at, o.currency, o.total_minor, (SELECT sum(l.quantity) FROM orders.lines l WHERE l.order_id = o.order_id) AS pieces,
				o.status NOT IN ('pending', 'cancelling', 'cancelled', 'rejected', 'expired', 'returned') AS kept
			FROM orders.orders o
			WHERE o.order_id >= bus.first_id_of(@from) AND o.order_id < bus.first_id_of(@to)) o
		GROUP BY 1, 2
		ORDER BY 1, 2`, pgx.NamedArgs{"from": from, "to": to})
	if err != nil {
		return nil, fmt.Errorf("count orders by day: %w", err)
	}
	days = []DayFigures{}
	var of DayFigures
	var revenue money.Amount
	_, err = pgx.ForEachRow(rows, []any{&of.Day, &revenue.Currency, &of.Orders, &of.Kept, &of.Items, &revenue.Minor}, func() error {
		if len(days) == 0 || days[len(days)-1].Day != of.Day {
			days = append(days, DayFigures{Day: of.Day, Revenue: []money.Amount{}})
		}
		last := &days[len(days)-1]
		last.Orders += of.Orders
		last.Kept += of.Kept
		last.Items += of.Items
		last.Revenue = append(last.Revenue, revenue)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count orders by day: %w", err)
	}
	return days, nil
}
