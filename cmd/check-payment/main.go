// Command check-payment asks payment providers how payments stand.
package main

import (
	checkpayment "github.com/popup-shop/popup/functions/check-payment"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(checkpayment.New) }
