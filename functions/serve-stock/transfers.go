package servestock

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// TransferRequest moves goods from one warehouse to another.
type TransferRequest struct {
	web.Key
	Body struct {
		SKU      string `json:"sku" minLength:"1" maxLength:"64"`
		From     string `json:"from_warehouse_id" format:"uuid"`
		To       string `json:"to_warehouse_id" format:"uuid" doc:"It gets a level of the SKU if it has none."`
		Quantity int64  `json:"quantity" minimum:"1" maximum:"1000000000000"`
		Reason   string `json:"reason" minLength:"1" maxLength:"500"`
	}
}

// Resolve returns every field that is wrong.
func (in *TransferRequest) Resolve(huma.Context) []error {
	errs := checkIDs(map[string]string{"from_warehouse_id": in.Body.From, "to_warehouse_id": in.Body.To})
	if in.Body.From == in.Body.To {
		errs = append(errs, problem.FieldError{Field: "to_warehouse_id", Message: "is the warehouse that the goods are in"})
	}
	return web.BodyErrors(errs)
}

// Transferred is both sides of a transfer.
type Transferred struct {
	Out Moved `json:"out"`
	In  Moved `json:"in"`
}

// TransferAnswer is both sides of a transfer.
type TransferAnswer struct{ Body Transferred }

// transfer books goods out of a warehouse and into another one in one transaction, so that they are never in none or in both.
func transfer(ctx context.Context, tx pgx.Tx, in *TransferRequest) (t Transferred, emitted []events.Event, err error) {
	body := in.Body
	from, to, err := lockBoth(ctx, tx, in)
	if err != nil {
		return t, nil, err
	}
	if t.Out, err = book(ctx, tx, from, movement{Kind: "outbound", Quantity: body.Quantity, Reason: body.Reason}); err != nil {
		return t, nil, err
	}
	if t.In, err = book(ctx, tx, to, movement{Kind: "inbound", Quantity: body.Quantity, Reason: body.Reason}); err != nil {
		return t, nil, err
	}
	if t.Out.Level, err = readLevel(ctx, tx, from); err != nil { // with the totals after both
		return t, nil, err
	}
	return t, []events.Event{t.Out.event(), t.In.event()}, nil
}

func showTransferred(_ context.Context, _ web.Reader, _ *TransferRequest, t Transferred) (*TransferAnswer, error) {
	return &TransferAnswer{t}, nil
}

// lockBoth locks the levels of a transfer, in the order in which all others lock them, and creates the one of the destination.
func lockBoth(ctx context.Context, tx pgx.Tx, in *TransferRequest) (from, to string, err error) {
	body := in.Body
	_, err = insertLevel(ctx, tx, body.SKU, body.To)
	var refused *problem.Problem
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusConflict: // it has one
	case errors.As(err, &refused):
		return "", "", problem.Invalid(problem.FieldError{Field: "to_warehouse_id", Message: "is not a warehouse of the shop"})
	case err != nil:
		return "", "", err
	}
	rows, err := tx.Query(ctx, `
		SELECT level_id::text, warehouse_id::text
		FROM stock.levels
		WHERE sku = @sku AND warehouse_id IN (@from, @to)
		ORDER BY level_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"sku": body.SKU, "from": body.From, "to": body.To})
	if err != nil {
		return "", "", fmt.Errorf("lock levels of %s: %w", body.SKU, err)
	}
	levels := map[string]string{}
	var levelID, warehouseID string
	_, err = pgx.ForEachRow(rows, []any{&levelID, &warehouseID}, func() error {
		levels[warehouseID] = levelID
		return nil
	})
	if err != nil {
		return "", "", fmt.Errorf("lock levels of %s: %w", body.SKU, err)
	}
	from, to = levels[body.From], levels[body.To]
	if from == "" {
		return "", "", problem.Invalid(problem.FieldError{Field: "from_warehouse_id", Message: "has no stock of this SKU"})
	}
	return from, to, nil
}
