// Command check-payment queries payment providers for the states of payments.
package main

import (
	checkpayment "github.com/popup-shop/popup/functions/check-payment"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(checkpayment.New) }
