// Command serve-events serves what the shop's functions did.
package main

import (
	serveevents "github.com/popup-shop/popup/functions/serve-events"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(serveevents.New) }
