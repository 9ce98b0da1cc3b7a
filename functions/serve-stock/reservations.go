package servestock

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/stock"
	"github.com/popup-shop/popup/internal/web"
)

// HoldRequest holds goods by hand, until a time.
type HoldRequest struct {
	web.Key
	Body struct {
		Lines      []HoldLine `json:"lines" minItems:"1" maxItems:"100"`
		ExpiresInS int64      `json:"expires_in_s,omitempty" minimum:"1" maximum:"2592000" default:"1800" doc:"30 minutes unless said, 30 days at most"`
	}
}

// HoldLine is so many of a SKU, of one warehouse or of all.
type HoldLine struct {
	SKU         string `json:"sku" minLength:"1" maxLength:"64"`
	Quantity    int64  `json:"quantity" minimum:"1" maximum:"1000000000000"`
	WarehouseID string `json:"warehouse_id,omitempty" format:"uuid"`
}

// FailedItem is what there is not enough of.
type FailedItem struct {
	SKU       string `json:"sku"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
}

// HoldAnswer says that everything is held. When something is short, nothing is, and a 409 has success and failed_items.
type HoldAnswer struct {
	Body struct {
		ReservationID string       `json:"reservation_id" format:"uuid"`
		Success       bool         `json:"success"`
		FailedItems   []FailedItem `json:"failed_items" nullable:"false"`
		ExpiresAt     time.Time    `json:"expires_at"`
	}
}

// hold holds all lines or none.
func hold(ctx context.Context, tx pgx.Tx, in *HoldRequest) (string, []events.Event, error) {
	wanted, err := in.wanted()
	if err != nil {
		return "", nil, err
	}
	levels, err := lockLevels(ctx, tx, wanted)
	if err != nil {
		return "", nil, err
	}
	takes, short := levels.Hold(wanted)
	if short != nil {
		return "", nil, shortage(short)
	}
	holdID, err := uuid.NewV7()
	if err != nil {
		return "", nil, err
	}
	return holdID.String(), nil, insertHold(ctx, tx, holdID.String(), in.Body.ExpiresInS, takes)
}

func (in *HoldRequest) wanted() (wanted []stock.Wanted, err error) {
	if len(in.Body.Lines) == 0 { // null passes for a list
		return nil, web.Invalid(web.Fault{Field: "lines", Why: "must have at least one"})
	}
	warehouses := map[string]string{}
	for i, line := range in.Body.Lines {
		warehouses[fmt.Sprintf("lines[%d].warehouse_id", i)] = line.WarehouseID
		wanted = append(wanted, stock.Wanted{Line: i + 1, SKU: line.SKU, Quantity: line.Quantity, WarehouseID: line.WarehouseID})
	}
	return wanted, must(warehouses)
}

func shortage(short []stock.Short) *web.Problem {
	failed := make([]FailedItem, len(short))
	for i, s := range short {
		failed[i] = FailedItem{SKU: s.SKU, Requested: s.Quantity, Available: s.Available}
	}
	return web.NewProblem(http.StatusConflict, "out-of-stock", "there is not enough of everything, and nothing is held").
		With("success", false).With("failed_items", failed)
}

func showHeld(ctx context.Context, db web.Reader, _ *HoldRequest, holdID string) (*HoldAnswer, error) {
	made, err := readHold(ctx, db, holdID)
	answer := &HoldAnswer{}
	answer.Body.ReservationID, answer.Body.Success, answer.Body.FailedItems, answer.Body.ExpiresAt = holdID, true, []FailedItem{}, made.ExpiresAt
	return answer, err
}

// lockLevels locks the levels of what is wanted in the order of SKU and warehouse.
func lockLevels(ctx context.Context, tx pgx.Tx, wanted []stock.Wanted) (stock.Levels, error) {
	skus := make([]string, len(wanted))
	for i, w := range wanted {
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

// insertHold makes the reservations; movements and levels follow by themselves.
func insertHold(ctx context.Context, tx pgx.Tx, holdID string, seconds int64, takes []stock.Take) error {
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
		return fmt.Errorf("hold stock by hand: %w", err)
	}
	return nil
}

// Reservation is what is held by hand.
type Reservation struct {
	ID        string     `json:"reservation_id" format:"uuid"`
	Status    string     `json:"status" enum:"held,released,expired"`
	ExpiresAt time.Time  `json:"expires_at"`
	CreatedAt time.Time  `json:"created_at"`
	Lines     []HeldLine `json:"lines" nullable:"false"`
}

// HeldLine is what is held of one line in one warehouse.
type HeldLine struct {
	Line        int    `json:"line"`
	SKU         string `json:"sku"`
	WarehouseID string `json:"warehouse_id" format:"uuid"`
	Quantity    int64  `json:"quantity"`
}

// ReservationAnswer is a reservation.
type ReservationAnswer struct{ Body Reservation }

func getReservation(ctx context.Context, db web.Reader, in *Named) (*ReservationAnswer, error) {
	if !id.Valid(in.ID) {
		return nil, web.NotFound("reservation")
	}
	found, err := readHold(ctx, db, in.ID)
	return &ReservationAnswer{found}, err
}

func readHold(ctx context.Context, db web.Reader, holdID string) (r Reservation, err error) {
	err = db.QueryRow(ctx, `
		SELECT hold_id::text, status, expires_at, created_at, (
			SELECT json_agg(json_build_object('line', line, 'sku', sku, 'warehouse_id', warehouse_id, 'quantity', quantity) ORDER BY line, sku, warehouse_id)
			FROM stock.reservations r JOIN stock.levels USING (level_id) WHERE r.hold_id = h.hold_id)
		FROM stock.holds h
		WHERE hold_id = @hold_id`, pgx.NamedArgs{"hold_id": holdID}).Scan(&r.ID, &r.Status, &r.ExpiresAt, &r.CreatedAt, &r.Lines)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, web.NotFound("reservation")
	}
	if err != nil {
		return r, fmt.Errorf("read reservation %s: %w", holdID, err)
	}
	return r, nil
}

// release gives back what is held, once.
func release(ctx context.Context, tx pgx.Tx, in *Named) (*ReservationAnswer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, web.NotFound("reservation")
	}
	held, err := endHold(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	var said []events.Event
	if held {
		if err := lockHeld(ctx, tx, in.ID); err != nil {
			return nil, nil, err
		}
		lines, err := giveBack(ctx, tx, in.ID)
		if err != nil {
			return nil, nil, err
		}
		said = []events.Event{events.StockReleased{ReservationID: in.ID, Lines: lines}}
	}
	after, err := readHold(ctx, tx, in.ID)
	return &ReservationAnswer{after}, said, err
}

// endHold says whether it was this that ended the hold.
func endHold(ctx context.Context, tx pgx.Tx, holdID string) (held bool, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE stock.holds SET status = 'released'
		WHERE hold_id = @hold_id AND status = 'held'`, pgx.NamedArgs{"hold_id": holdID})
	if err != nil {
		return false, fmt.Errorf("end reservation %s: %w", holdID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// lockHeld locks what is held in the order of SKU and warehouse.
func lockHeld(ctx context.Context, tx pgx.Tx, holdID string) error {
	_, err := tx.Exec(ctx, `
		SELECT FROM stock.levels
		WHERE level_id IN (SELECT level_id FROM stock.reservations WHERE hold_id = @hold_id)
		ORDER BY sku, warehouse_id
		FOR NO KEY UPDATE`, pgx.NamedArgs{"hold_id": holdID})
	if err != nil {
		return fmt.Errorf("lock levels of reservation %s: %w", holdID, err)
	}
	return nil
}

// giveBack ends the reservations; movements and levels follow by themselves.
func giveBack(ctx context.Context, tx pgx.Tx, holdID string) ([]events.StockLine, error) {
	rows, err := tx.Query(ctx, `
		UPDATE stock.reservations r SET status = 'released', updated_at = now()
		FROM stock.levels l
		WHERE r.hold_id = @hold_id AND r.status = 'held' AND l.level_id = r.level_id
		RETURNING l.sku, l.warehouse_id::text, r.quantity`, pgx.NamedArgs{"hold_id": holdID})
	if err != nil {
		return nil, fmt.Errorf("release reservation %s: %w", holdID, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByPos[events.StockLine])
	if err != nil {
		return nil, fmt.Errorf("release reservation %s: %w", holdID, err)
	}
	return lines, nil
}
