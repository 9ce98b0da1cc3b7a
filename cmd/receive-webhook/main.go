// Command receive-webhook receives the notices of payment providers.
package main

import (
	receivewebhook "github.com/popup-shop/popup/functions/receive-webhook"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(receivewebhook.New) }
