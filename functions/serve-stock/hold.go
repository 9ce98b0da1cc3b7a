package servestock

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/stock"
	"github.com/popup-shop/popup/internal/web"
)

// HoldRequest reserves stock for a limited time, without an order.
type HoldRequest struct {
	web.Key
	Body struct {
		Lines      []HoldLine `json:"lines" minItems:"1" maxItems:"100"`
		ExpiresInS int64      `json:"expires_in_s,omitempty" minimum:"1" maximum:"2592000" default:"1800" doc:"How long to hold the stock: at most 30 days, by default 30 minutes."`
	}
}

// HoldLine is a quantity of a SKU, from one warehouse or from any.
type HoldLine struct {
	SKU         string `json:"sku" minLength:"1" maxLength:"64"`
	Quantity    int64  `json:"quantity" minimum:"1" maximum:"1000000000000"`
	WarehouseID string `json:"warehouse_id,omitempty" format:"uuid"`
}

// FailedItem is a line without enough stock.
type FailedItem struct {
	SKU       string `json:"sku"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
}

// HoldAnswer is a reservation of all lines. If a line has not enough stock, nothing is reserved and a 409 has success
// and failed_items.
type HoldAnswer struct {
	Body struct {
		ReservationID string       `json:"reservation_id" format:"uuid"`
		Success       bool         `json:"success"`
		FailedItems   []FailedItem `json:"failed_items" nullable:"false"`
		ExpiresAt     time.Time    `json:"expires_at"`
	}
}

// hold reserves all lines or none.
func hold(ctx context.Context, tx pgx.Tx, in *HoldRequest) (string, []events.Event, error) {
	requests := in.requests()
	levels, err := lockLevels(ctx, tx, requests)
	if err != nil {
		return "", nil, err
	}
	takes, short := levels.Hold(requests)
	if short != nil {
		return "", nil, shortageProblem(short)
	}
	holdID, err := uuid.NewV7()
	if err != nil {
		return "", nil, err
	}
	return holdID.String(), nil, insertHold(ctx, tx, holdID.String(), in.Body.ExpiresInS, takes)
}

// Resolve returns every field that is wrong.
func (in *HoldRequest) Resolve(huma.Context) []error {
	if len(in.Body.Lines) == 0 { // null passes the schema's minItems
		return web.BodyErrors([]problem.FieldError{{Field: "lines", Message: "must have at least one"}})
	}
	warehouses := map[string]string{}
	for i, line := range in.Body.Lines {
		warehouses[fmt.Sprintf("lines[%d].warehouse_id", i)] = line.WarehouseID
	}
	return web.BodyErrors(checkIDs(warehouses))
}

func (in *HoldRequest) requests() (requests []stock.Request) {
	for i, line := range in.Body.Lines {
		requests = append(requests, stock.Request{
			Line: i + 1, SKU: line.SKU, Quantity: line.Quantity, WarehouseID: line.WarehouseID,
		})
	}
	return requests
}

func shortageProblem(short []stock.Shortage) *problem.Problem {
	failed := make([]FailedItem, len(short))
	for i, s := range short {
		failed[i] = FailedItem{SKU: s.SKU, Requested: s.Quantity, Available: s.Available}
	}
	return problem.New(http.StatusConflict, "out-of-stock",
		"There is not enough stock of every line, so nothing was reserved.").
		With("success", false).With("failed_items", failed)
}

func showHold(ctx context.Context, db web.Reader, _ *HoldRequest, holdID string) (*HoldAnswer, error) {
	hold, err := readHold(ctx, db, holdID)
	answer := &HoldAnswer{}
	answer.Body.ReservationID = holdID
	answer.Body.Success = true
	answer.Body.FailedItems = []FailedItem{}
	answer.Body.ExpiresAt = hold.ExpiresAt
	return answer, err
}

// lockLevels locks the levels of the requested SKUs, in the order of SKU and warehouse.
func lockLevels(ctx context.Context, tx pgx.Tx, requests []stock.Request) (stock.Levels, error) {
	skus := make([]string, len(requests))
	for i, w := range requests {
		skus[i] = w.SKU
	}
	rows, err := tx.Query(ctx, `
		SELECT level_id::text, sku, warehouse_id::text, (
			SELECT priority FROM stock.warehouses w WHERE w.warehouse_id = l.warehouse_id), on_hand, reserved
		FROM stock.levels l
		WHERE sku = ANY (@skus)
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"skus": skus})
	if err != nil {
		return nil, fmt.Errorf("lock levels: %w", err)
	}
	levels, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stock.Level])
	if err != nil {
		return nil, fmt.Errorf("lock levels: %w", err)
	}
	return levels, nil
}

// insertHold inserts the reservations; triggers write movements and levels.
func insertHold(ctx context.Context, tx pgx.Tx, holdID string, seconds int64, takes []stock.Allocation) error {
	lines, levels, quantities := make([]int, len(takes)), make([]string, len(takes)), make([]int64, len(takes))
	for i, take := range takes {
		lines[i], levels[i], quantities[i] = take.Line, take.LevelID, take.Quantity
	}
	_, err := tx.Exec(ctx, `
		WITH made AS (
			INSERT INTO stock.holds (hold_id, by, expires_at)
			VALUES (@hold_id, 'staff', now() + make_interval(secs => @seconds))
			RETURNING hold_id
		)
		INSERT INTO stock.reservations (hold_id, line, level_id, quantity)
		SELECT hold_id, line, level_id, quantity
		FROM made, unnest(@lines::integer[], @levels::uuid[], @quantities::bigint[]) AS take (line, level_id, quantity)`,
		pgx.NamedArgs{"hold_id": holdID, "seconds": seconds, "lines": lines, "levels": levels, "quantities": quantities})
	if err != nil {
		return fmt.Errorf("insert hold %s: %w", holdID, err)
	}
	return nil
}
