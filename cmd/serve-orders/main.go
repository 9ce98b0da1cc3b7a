// Command serve-orders shows and cancels orders.
package main

import (
	serveorders "github.com/popup-shop/popup/functions/serve-orders"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(serveorders.New) }
