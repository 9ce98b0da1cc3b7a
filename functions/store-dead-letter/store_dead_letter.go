// Package storedeadletter stores dead letters: events that a function could not handle after all retries, which the
// broker delivers here. Staff inspect and redrive them with popup deadletters.
package storedeadletter

import (
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/function"
)

// New returns the function.
func New() function.Function {
	return function.Function{
		Name: "store-dead-letter", DeadLetters: eventstore.StoreDeadLetter, Writes: []string{"bus.dead_letters"},
	}
}
