// Package sweepevents publishes again what somebody has not heard, so that the broker may lose anything.
package sweepevents

import (
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/function"
)

// New declares the function.
func New() function.Function {
	return function.Function{
		Name:        "sweep-events",
		Maintenance: eventstore.Sweep,
		Writes:      []string{"bus.undelivered", "bus.sweep", "bus.dead_letters"},
	}
}
