package servestock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Reservation is a manual reservation of stock.
type Reservation struct {
	ID        string     `json:"reservation_id" format:"uuid"`
	Status    string     `json:"status" enum:"held,released,expired"`
	ExpiresAt time.Time  `json:"expires_at"`
	CreatedAt time.Time  `json:"created_at"`
	Lines     []HeldLine `json:"lines" nullable:"false"`
}

// String returns quantity and SKU, for lists of reservations as CSV.
func (l HeldLine) String() string { return fmt.Sprintf("%d × %s", l.Quantity, l.SKU) }

// HeldLine is the reserved quantity of a line in one warehouse.
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
		return nil, problem.NotFound("reservation")
	}
	found, err := readHold(ctx, db, in.ID)
	return &ReservationAnswer{found}, err
}

// ReservationsRequest selects a page of the manual reservations, newest first by default.
type ReservationsRequest struct {
	web.Paging
	Status string `query:"status" enum:"held,released,expired"`
	Sort   string `query:"sort" enum:"created_at,-created_at,expires_at,-expires_at" default:"-created_at"`
}

// reservationOrders are the orders of the list. A reservation's id begins with the time at which it was made.
var reservationOrders = map[string]string{
	"created_at":  `ORDER BY hold_id LIMIT @limit OFFSET @offset`,
	"-created_at": `ORDER BY hold_id DESC LIMIT @limit OFFSET @offset`,
	"expires_at":  `ORDER BY expires_at, hold_id LIMIT @limit OFFSET @offset`,
	"-expires_at": `ORDER BY expires_at DESC, hold_id LIMIT @limit OFFSET @offset`,
}

const selectReservation = `
		SELECT hold_id::text, status, expires_at, created_at, (
			SELECT json_agg(json_build_object('line', line, 'sku', sku, 'warehouse_id', warehouse_id, 'quantity', quantity) ORDER BY line, sku, warehouse_id)
			FROM stock.reservations r JOIN stock.levels USING (level_id) WHERE r.hold_id = h.hold_id)`

// listReservations is called by staff, and by programs that manage stock.
func listReservations(ctx context.Context, db web.Reader, in *ReservationsRequest) ([]Reservation, int64, error) {
	return web.QueryPage(ctx, db, pgx.RowToStructByPos[Reservation], `FROM stock.holds h WHERE @status IN ('', status)`,
		selectReservation, reservationOrders[in.Sort], pgx.NamedArgs{"status": in.Status, "limit": in.Limit, "offset": in.Offset()})
}

func readHold(ctx context.Context, db web.Reader, holdID string) (r Reservation, err error) {
	err = db.QueryRow(ctx, selectReservation+`
		FROM stock.holds h
		WHERE hold_id = @hold_id`, pgx.NamedArgs{"hold_id": holdID}).Scan(&r.ID, &r.Status, &r.ExpiresAt, &r.CreatedAt, &r.Lines)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, problem.NotFound("reservation")
	}
	if err != nil {
		return r, fmt.Errorf("read reservation %s: %w", holdID, err)
	}
	return r, nil
}

// release releases a reservation and emits stock.released, unless it has ended before.
func release(ctx context.Context, tx pgx.Tx, in *Named) (*ReservationAnswer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("reservation")
	}
	held, err := endHold(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	var emitted []events.Event
	if held {
		if err := lockHeld(ctx, tx, in.ID); err != nil {
			return nil, nil, err
		}
		lines, err := releaseReservations(ctx, tx, in.ID)
		if err != nil {
			return nil, nil, err
		}
		emitted = []events.Event{events.StockReleased{ReservationID: in.ID, Lines: lines}}
	}
	after, err := readHold(ctx, tx, in.ID)
	return &ReservationAnswer{after}, emitted, err
}

// endHold ends a hold and reports whether it was held until now.
func endHold(ctx context.Context, tx pgx.Tx, holdID string) (held bool, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE stock.holds SET status = 'released'
		WHERE hold_id = @hold_id AND status = 'held'`, pgx.NamedArgs{"hold_id": holdID})
	if err != nil {
		return false, fmt.Errorf("end reservation %s: %w", holdID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// lockHeld locks the levels of a hold, in the order of SKU and warehouse.
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

// releaseReservations releases the reservations and returns them; triggers write movements and levels.
func releaseReservations(ctx context.Context, tx pgx.Tx, holdID string) ([]events.StockLine, error) {
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
