// Command create-payment opens the payments of orders.
package main

import (
	createpayment "github.com/popup-shop/popup/functions/create-payment"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(createpayment.New) }
