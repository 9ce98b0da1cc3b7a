// Command follow-shipment moves orders along with their shipments.
package main

import (
	followshipment "github.com/popup-shop/popup/functions/follow-shipment"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(followshipment.New) }
