// Command follow-shipment moves orders along behind their shipments.
package main

import (
	followshipment "github.com/popup-shop/popup/functions/follow-shipment"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(followshipment.New) }
