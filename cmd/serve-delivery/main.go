// Command serve-delivery serves shipments.
package main

import (
	servedelivery "github.com/popup-shop/popup/functions/serve-delivery"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(servedelivery.New) }
