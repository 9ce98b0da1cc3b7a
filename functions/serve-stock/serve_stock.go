// Package servestock shows how many there are and where, and lets staff and machine clients keep stock: warehouses, levels,
// movements and what is held by hand.
package servestock

import (
	"errors"
	"net/http"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-stock"

// keeper is whoever keeps stock.
var keeper = access.Any(access.Staff, access.Client("stock"))

// New declares the function.
func New(settings config.Access) function.Function {
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings,
			web.List("/v1/warehouses", keeper, listWarehouses),
			web.Post("/v1/warehouses", keeper, http.StatusCreated, addWarehouse),
			web.Get("/v1/warehouses/{id}", keeper, getWarehouse),
			web.Put("/v1/warehouses/{id}", keeper, changeWarehouse),
			web.Delete("/v1/warehouses/{id}", keeper, deleteWarehouse),

			web.List("/v1/inventory/stock", access.All, list),
			web.PostIdempotent("/v1/inventory/stock", keeper, web.IdempotentCall[*CreateRequest, string, LevelAnswer]{
				Status: http.StatusCreated, Do: create, Show: showCreated,
			}),
			web.Put("/v1/inventory/stock/{id}", keeper, set),
			web.List("/v1/inventory/stock/{id}/movements", keeper, listMovements),
			web.PostIdempotent("/v1/inventory/stock/{id}/movements", keeper, web.IdempotentCall[*MoveRequest, Moved, MoveAnswer]{
				Status: http.StatusCreated, Do: move, Show: showMoved,
			}),

			web.PostIdempotent("/v1/inventory/reservations", keeper, web.IdempotentCall[*HoldRequest, string, HoldAnswer]{
				Status: http.StatusCreated, Do: hold, Show: showHeld,
			}),
			web.Get("/v1/inventory/reservations/{id}", keeper, getReservation),
			web.Delete("/v1/inventory/reservations/{id}", keeper, release),
		),
		Emits:  []events.Event{events.StockChanged{}, events.StockReleased{}},
		Writes: []string{"stock.warehouses", "stock.levels", "stock.movements", "stock.holds", "stock.reservations"},
	}
}

// Named names something by its id.
type Named struct {
	ID string `path:"id" format:"uuid"`
}

// must refuses ids that are none.
func must(fields map[string]string) error {
	var faults []problem.FieldError
	for field, value := range fields {
		if value != "" && !id.Valid(value) {
			faults = append(faults, problem.FieldError{Field: field, Message: "is not a UUID"})
		}
	}
	if faults != nil {
		return problem.Invalid(faults...)
	}
	return nil
}

// breaks says whether an error is that a promise of the schema would be broken.
func breaks(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.ConstraintName == constraint
}
