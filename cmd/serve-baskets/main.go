// Command serve-baskets serves baskets.
package main

import (
	servebaskets "github.com/popup-shop/popup/functions/serve-baskets"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(servebaskets.New) }
