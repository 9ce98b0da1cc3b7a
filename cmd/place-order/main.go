// Command place-order accepts orders.
package main

import (
	placeorder "github.com/popup-shop/popup/functions/place-order"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(placeorder.New) }
