// Package servestock serves the stock: the available quantities for everyone, and for staff and machine clients
// warehouses, levels, movements and manual reservations.
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

// editors admits staff and machine clients that manage stock.
var editors = access.Any(access.Staff, access.Client("stock"))

// New returns the function.
func New(settings config.Access) function.Function {
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings,
			web.List("/v1/warehouses", editors, listWarehouses),
			web.Post("/v1/warehouses", editors, http.StatusCreated, addWarehouse),
			web.Get("/v1/warehouses/{id}", editors, getWarehouse),
			web.Put("/v1/warehouses/{id}", editors, changeWarehouse),
			web.Delete("/v1/warehouses/{id}", editors, deleteWarehouse),

			web.List("/v1/inventory/stock", access.All, list),
			web.PostIdempotent("/v1/inventory/stock", editors, web.IdempotentCall[*CreateRequest, string, LevelAnswer]{
				Status: http.StatusCreated, Do: create, Show: showCreated,
			}),
			web.Get("/v1/inventory/stock/{id}", editors, getLevel),
			web.Put("/v1/inventory/stock/{id}", editors, set),
			web.List("/v1/inventory/stock/{id}/movements", editors, listMovements),
			web.PostIdempotent("/v1/inventory/stock/{id}/movements", editors,
				web.IdempotentCall[*MoveRequest, Moved, MoveAnswer]{
					Status: http.StatusCreated, Do: move, Show: showMoved,
				}),
			web.PostIdempotent("/v1/inventory/transfers", editors,
				web.IdempotentCall[*TransferRequest, Transferred, TransferAnswer]{
					Status: http.StatusCreated, Do: transfer, Show: showTransferred,
				}),

			web.List("/v1/inventory/reservations", editors, listReservations),
			web.PostIdempotent("/v1/inventory/reservations", editors, web.IdempotentCall[*HoldRequest, string, HoldAnswer]{
				Status: http.StatusCreated, Do: hold, Show: showHold,
			}),
			web.Get("/v1/inventory/reservations/{id}", editors, getReservation),
			web.Delete("/v1/inventory/reservations/{id}", editors, release),
		),
		Emits:  []events.Event{events.StockChanged{}, events.StockReleased{}},
		Writes: []string{"stock.warehouses", "stock.levels", "stock.movements", "stock.holds", "stock.reservations"},
	}
}

// Named has the id of an object in the path.
type Named struct {
	ID string `path:"id" format:"uuid"`
}

// checkIDs returns errors of the fields that are set and are not UUIDs.
func checkIDs(fields map[string]string) (errs []problem.FieldError) {
	for field, value := range fields {
		if value != "" && !id.Valid(value) {
			errs = append(errs, problem.FieldError{Field: field, Message: "is not a UUID"})
		}
	}
	return errs
}

// violates reports whether an error is the violation of a constraint.
func violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.ConstraintName == constraint
}
