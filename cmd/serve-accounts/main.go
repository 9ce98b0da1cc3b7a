// Command serve-accounts serves accounts, sessions and tokens.
package main

import (
	serveaccounts "github.com/popup-shop/popup/functions/serve-accounts"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(serveaccounts.New) }
