// Command close-order ends cancelled orders.
package main

import (
	closeorder "github.com/popup-shop/popup/functions/close-order"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.Main(closeorder.New()) }
