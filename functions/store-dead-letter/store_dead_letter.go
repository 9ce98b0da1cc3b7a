// Package storedeadletter keeps for a person what no function would take: it is where the broker sends its dead letters.
package storedeadletter

import (
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/function"
)

// New declares the function.
func New() function.Function {
	return function.Function{Name: "store-dead-letter", DeadLetters: eventstore.StoreDeadLetter, Writes: []string{"bus.dead_letters"}}
}
