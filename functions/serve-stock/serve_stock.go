// Package servestock shows how many there are and where, and books goods in and out by hand.
package servestock

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-stock"

// keeper is whoever keeps stock.
var keeper = web.Any(web.Staff, web.Client("stock"))

// New declares the function.
func New(access config.Access) function.Function {
	return function.Function{
		Name: name,
		Door: web.Door(name, access,
			web.Get("/v1/inventory/stock", web.All, list),
			web.Post("/v1/inventory/stock", keeper, web.Change[*CreateRequest, string, LevelAnswer]{
				Status: http.StatusCreated, Do: create, Show: func(ctx context.Context, db web.Reader, _ *CreateRequest, id string) (*LevelAnswer, error) {
					return show(ctx, db, id)
				},
			}),
			web.Post("/v1/inventory/stock/{id}/movements", keeper, web.Change[*MoveRequest, Moved, MoveAnswer]{
				Status: http.StatusCreated, Do: move, Show: func(_ context.Context, _ web.Reader, _ *MoveRequest, moved Moved) (*MoveAnswer, error) {
					return &MoveAnswer{Body: moved}, nil
				},
			}),
		),
		Emits:  []events.Event{events.StockChanged{}},
		Writes: []string{"stock.levels", "stock.movements"},
	}
}

// ListRequest asks for the levels of a SKU, or of all.
type ListRequest struct {
	SKU string `query:"sku" maxLength:"64"`
}

// ListAnswer is levels, and what is available in all of them.
type ListAnswer struct {
	Body struct {
		Items     []Level `json:"items"`
		Available int64   `json:"available"`
	}
}

// list shows figures to those who keep stock; everybody else sees what is available.
func list(ctx context.Context, db web.Reader, in *ListRequest) (*ListAnswer, error) {
	levels, err := readLevels(ctx, db, in.SKU)
	if err != nil {
		return nil, err
	}
	answer := &ListAnswer{}
	answer.Body.Items = levels
	for i, level := range levels {
		answer.Body.Available += level.Available
		if caller := web.CallerOf(ctx); !caller.Staff() && !caller.Has("stock") {
			answer.Body.Items[i].Quantity, answer.Body.Items[i].Reserved = nil, nil
		}
	}
	return answer, nil
}

// CreateRequest asks for a level with a first quantity.
type CreateRequest struct {
	web.Key
	Body struct {
		SKU         string `json:"sku" minLength:"1" maxLength:"64"`
		WarehouseID string `json:"warehouse_id" format:"uuid"`
		Quantity    int64  `json:"quantity" minimum:"0" maximum:"1000000000000"`
	}
}

// LevelAnswer is a level as it stands.
type LevelAnswer struct{ Body Level }

func create(ctx context.Context, tx pgx.Tx, in *CreateRequest) (string, []events.Event, error) {
	if !id.Valid(in.Body.WarehouseID) {
		return "", nil, web.Invalid(web.Fault{Field: "warehouse_id", Why: "is not a UUID"})
	}
	levelID, created, err := insertLevel(ctx, tx, in.Body.SKU, in.Body.WarehouseID)
	if err != nil {
		return "", nil, err
	}
	if !created {
		return "", nil, web.NewProblem(http.StatusConflict, "in-use", "this SKU has a level in this warehouse")
	}
	if in.Body.Quantity == 0 {
		return levelID, nil, nil
	}
	moved, err := book(ctx, tx, levelID, movement{Kind: "inbound", Quantity: in.Body.Quantity, Reason: "first stock"})
	if err != nil {
		return "", nil, err
	}
	return levelID, []events.Event{moved.event()}, nil
}

func show(ctx context.Context, db web.Reader, levelID string) (*LevelAnswer, error) {
	level, err := readLevel(ctx, db, levelID)
	return &LevelAnswer{level}, err
}

// MoveRequest books goods in or out.
type MoveRequest struct {
	web.Key
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Kind     string `json:"kind" enum:"inbound,outbound"`
		Quantity int64  `json:"quantity" minimum:"1" maximum:"1000000000000"`
		Reason   string `json:"reason" minLength:"1" maxLength:"500"`
	}
}

// MoveAnswer is the movement, and the level after it.
type MoveAnswer struct{ Body Moved }

func move(ctx context.Context, tx pgx.Tx, in *MoveRequest) (Moved, []events.Event, error) {
	if !id.Valid(in.ID) {
		return Moved{}, nil, web.NotFound("level")
	}
	moved, err := book(ctx, tx, in.ID, movement{Kind: in.Body.Kind, Quantity: in.Body.Quantity, Reason: in.Body.Reason})
	if errors.Is(err, pgx.ErrNoRows) {
		return Moved{}, nil, web.NotFound("level")
	}
	if breaks(err, "stock_reserved_in_range") || breaks(err, "stock_at_most_a_trillion") {
		return Moved{}, nil, web.NewProblem(http.StatusConflict, "not-possible-now", "the level would be below what is held, or above what it can be")
	}
	if err != nil {
		return Moved{}, nil, fmt.Errorf("move stock of level %s: %w", in.ID, err)
	}
	return moved, []events.Event{moved.event()}, nil
}

// event says what staff changed. The reason they gave stays in the row.
func (m Moved) event() events.StockChanged {
	return events.StockChanged{
		SKU: m.Level.SKU, WarehouseID: m.Level.WarehouseID, Kind: m.Kind, Quantity: m.Quantity,
		OnHand: *m.Level.Quantity, Reserved: *m.Level.Reserved, Available: m.Level.Available, Reason: "staff", By: "staff",
	}
}
