// Package servepoints serves the points of accounts: customers read their balance and its entries, staff adds and takes points.
package servepoints

import (
	"cmp"
	"net/http"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-points"

// Settings configures the function.
type Settings struct {
	config.Shop
	config.Access
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error { return cmp.Or(s.Shop.Check(), s.Access.Check()) }

// New returns the function.
func New(settings Settings) function.Function {
	h := &handler{life: settings.PointsLife, per: settings.PointsPer}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.Get("/v1/points", access.Account, h.readBalance),
			web.List("/v1/points/entries", access.Account, listEntries),
			web.PostIdempotent("/v1/points/adjustments", access.Staff, web.IdempotentCall[*AdjustRequest, string, EntryAnswer]{
				Status: http.StatusCreated, Do: h.adjust, Show: showEntry,
			}),
		),
		Emits:  []events.Event{events.PointsAdjusted{}},
		Writes: []string{"points.entries"},
	}
}

type handler struct {
	life time.Duration
	per  int64
}
