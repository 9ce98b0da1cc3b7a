// Command park-event keeps what nobody could handle.
package main

import (
	parkevent "github.com/popup-shop/popup/functions/park-event"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.Main(parkevent.New()) }
