// Command reconcile-payments compares the books of payment providers with the shop's.
package main

import (
	reconcilepayments "github.com/popup-shop/popup/functions/reconcile-payments"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(reconcilepayments.New) }
