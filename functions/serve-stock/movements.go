package servestock

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Movement is a recorded change of a level.
type Movement struct {
	ID          string    `json:"id" format:"uuid"`
	StockItemID string    `json:"stock_item_id" format:"uuid"`
	Kind        string    `json:"kind"`
	Quantity    int64     `json:"quantity" doc:"The quantity. It may be negative in an adjustment."`
	Reference   string    `json:"reference" doc:"The id of the order or reservation, or staff."`
	Reason      string    `json:"reason"`
	CreatedAt   time.Time `json:"created_at"`
}

// MovementsRequest filters the movements of a level, which are listed latest first by default.
type MovementsRequest struct {
	web.Paging
	Named
	From time.Time `query:"from"`
	To   time.Time `query:"to"`
	Kind string    `query:"kind" enum:"inbound,outbound,reservation,release,adjustment"`
	Sort string    `query:"sort" enum:"created_at,-created_at" default:"-created_at"`
}

// movementOrders are the orders of the list.
var movementOrders = map[string]string{
	"created_at":  `ORDER BY created_at, movement_id LIMIT @limit OFFSET @offset`,
	"-created_at": `ORDER BY created_at DESC, movement_id LIMIT @limit OFFSET @offset`,
}

func listMovements(ctx context.Context, db web.Reader, in *MovementsRequest) ([]Movement, int64, error) {
	if !id.Valid(in.ID) {
		return nil, 0, problem.NotFound("level")
	}
	if _, err := readLevel(ctx, db, in.ID); err != nil {
		return nil, 0, err
	}
	return web.QueryPage(ctx, db, pgx.RowToStructByPos[Movement], `FROM stock.movements `+in.where(), `
		SELECT movement_id::text, level_id::text, kind, quantity, reference, reason, created_at`,
		movementOrders[in.Sort], pgx.NamedArgs{
			"level_id": in.ID, "from": in.From, "to": in.To, "kind": in.Kind, "limit": in.Limit, "offset": in.Offset(),
		})
}

func (in *MovementsRequest) where() string {
	conditions := []string{`level_id = @level_id`}
	for _, c := range []struct {
		asked     bool
		condition string
	}{{!in.From.IsZero(), `created_at >= @from`}, {!in.To.IsZero(), `created_at < @to`}, {in.Kind != "", `kind = @kind`}} {
		if c.asked {
			conditions = append(conditions, c.condition)
		}
	}
	return `WHERE ` + strings.Join(conditions, ` AND `)
}

// MoveRequest books stock in or out.
type MoveRequest struct {
	web.Key
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Kind     string `json:"kind" enum:"inbound,outbound"`
		Quantity int64  `json:"quantity" minimum:"1" maximum:"1000000000000"`
		Reason   string `json:"reason" minLength:"1" maxLength:"500"`
	}
}

// Moved is a movement with the level after it.
type Moved struct {
	MovementID string `json:"id" format:"uuid"`
	Kind       string `json:"kind"`
	Quantity   int64  `json:"quantity"`
	Reason     string `json:"reason"`
	Level      Level  `json:"level"`
}

// MoveAnswer is a movement with the level after it.
type MoveAnswer struct{ Body Moved }

func move(ctx context.Context, tx pgx.Tx, in *MoveRequest) (Moved, []events.Event, error) {
	if !id.Valid(in.ID) {
		return Moved{}, nil, problem.NotFound("level")
	}
	if _, err := lockLevel(ctx, tx, in.ID); err != nil {
		return Moved{}, nil, err
	}
	moved, err := book(ctx, tx, in.ID, movement{Kind: in.Body.Kind, Quantity: in.Body.Quantity, Reason: in.Body.Reason})
	if err != nil {
		return Moved{}, nil, err
	}
	return moved, []events.Event{moved.event()}, nil
}

func showMoved(_ context.Context, _ web.Reader, _ *MoveRequest, moved Moved) (*MoveAnswer, error) {
	return &MoveAnswer{Body: moved}, nil
}

// lockLevel locks a level and its warehouse, and returns the quantity on hand.
func lockLevel(ctx context.Context, tx pgx.Tx, levelID string) (onHand int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT on_hand
		FROM stock.levels l
		JOIN stock.warehouses w USING (warehouse_id)
		WHERE level_id = @level_id AND (deleted_at IS NULL OR on_hand > 0)
		FOR SHARE OF w
		FOR NO KEY UPDATE OF l`, pgx.NamedArgs{"level_id": levelID}).Scan(&onHand)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, problem.NotFound("level")
	}
	if err != nil {
		return 0, fmt.Errorf("lock level %s: %w", levelID, err)
	}
	return onHand, nil
}

type movement struct {
	Kind     string
	Quantity int64
	Reason   string
}

// book inserts a movement; a trigger changes the level.
func book(ctx context.Context, tx pgx.Tx, levelID string, m movement) (moved Moved, err error) {
	moved.Kind, moved.Quantity, moved.Reason = m.Kind, m.Quantity, m.Reason
	err = tx.QueryRow(ctx, `
		INSERT INTO stock.movements (level_id, kind, quantity, reference, reason, by)
		VALUES (@level_id, @kind, @quantity, 'staff', @reason, 'staff')
		RETURNING movement_id::text`, pgx.NamedArgs{"level_id": levelID, "kind": m.Kind, "quantity": m.Quantity, "reason": m.Reason}).
		Scan(&moved.MovementID)
	if violates(err, "stock_reserved_in_range") || violates(err, "stock_at_most_a_trillion") {
		return moved, problem.New(http.StatusConflict, "not-possible-now",
			"The level would be below the reserved quantity or above the maximum.")
	}
	if err != nil {
		return moved, fmt.Errorf("book %s of level %s: %w", m.Kind, levelID, err)
	}
	moved.Level, err = readLevel(ctx, tx, levelID)
	return moved, err
}

// event returns the event of the change. The reason that staff gave stays in the table.
func (m Moved) event() events.StockChanged {
	return events.StockChanged{
		SKU: m.Level.SKU, WarehouseID: m.Level.WarehouseID, Kind: m.Kind, Quantity: m.Quantity,
		OnHand: *m.Level.Quantity, Reserved: *m.Level.Reserved, Available: m.Level.Available, Reason: "staff",
		By: "staff",
	}
}
