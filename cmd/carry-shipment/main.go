// Command carry-shipment simulates the carrier.
package main

import (
	carryshipment "github.com/popup-shop/popup/functions/carry-shipment"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(carryshipment.New) }
