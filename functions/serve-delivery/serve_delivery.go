// Package servedelivery serves shipments: staff lists and moves them, and everybody sees where the parcel of a tracking number is.
// The orders follow their shipments by event.
package servedelivery

import (
	"cmp"
	"net/http"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-delivery"

// Settings configures the function.
type Settings struct {
	config.Shop
	config.Access
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error { return cmp.Or(s.Shop.Check(), s.Access.Check()) }

// New returns the function.
func New(settings Settings) function.Function {
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.List("/v1/shipments", access.Staff, listShipments),
			web.Get("/v1/shipments/{id}", access.Staff, readShipment),
			web.Get("/v1/tracking/{number}", access.All, track),
			web.PostIdempotent("/v1/orders/{id}/ship", access.Staff, web.IdempotentCall[*ShipRequest, string, OrderAnswer]{
				Status: http.StatusOK, Also: []int{http.StatusAccepted}, Do: ship, Show: showShipped,
			}),
			web.PostIdempotent("/v1/orders/{id}/status", access.Staff, web.IdempotentCall[*MoveRequest, string, OrderAnswer]{
				Status: http.StatusOK, Also: []int{http.StatusAccepted}, Do: setStatus, Show: showOrder,
			}),
		),
		Emits:  []events.Event{events.ShipmentMoved{}},
		Locks:  []string{"orders.orders"},
		Writes: []string{"delivery.shipments", "delivery.tracking"},
	}
}
