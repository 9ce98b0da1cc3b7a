// Command serve-stock shows and books stock.
package main

import (
	servestock "github.com/popup-shop/popup/functions/serve-stock"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(servestock.New) }
