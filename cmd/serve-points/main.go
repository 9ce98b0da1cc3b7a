// Command serve-points serves balances and entries of points.
package main

import (
	servepoints "github.com/popup-shop/popup/functions/serve-points"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(servepoints.New) }
