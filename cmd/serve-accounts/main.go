// Command serve-accounts says who somebody is.
package main

import (
	serveaccounts "github.com/popup-shop/popup/functions/serve-accounts"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(serveaccounts.New) }
