// Command serve-payments serves payments and refunds.
package main

import (
	servepayments "github.com/popup-shop/popup/functions/serve-payments"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(servepayments.New) }
