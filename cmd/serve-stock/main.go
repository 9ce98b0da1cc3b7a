// Command serve-stock serves stock levels, movements and warehouses.
package main

import (
	servestock "github.com/popup-shop/popup/functions/serve-stock"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(servestock.New) }
