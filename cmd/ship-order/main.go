// Command ship-order plans shipments.
package main

import (
	shiporder "github.com/popup-shop/popup/functions/ship-order"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(shiporder.New) }
