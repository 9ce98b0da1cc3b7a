// Package sweepevents republishes events that a consumer has not handled. So the broker may lose messages: the event
// store has them.
package sweepevents

import (
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/function"
)

// New returns the function.
func New() function.Function {
	return function.Function{
		Name:        "sweep-events",
		Maintenance: eventstore.Sweep,
		Writes:      []string{"bus.undelivered", "bus.sweep", "bus.dead_letters"},
	}
}
