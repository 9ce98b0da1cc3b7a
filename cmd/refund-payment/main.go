// Command refund-payment refunds payments.
package main

import (
	refundpayment "github.com/popup-shop/popup/functions/refund-payment"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(refundpayment.New) }
