// Command serve-gateway is the one public entry point.
package main

import (
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(servegateway.New) }
