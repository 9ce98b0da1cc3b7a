// Command reserve-stock holds stock for placed orders.
package main

import (
	reservestock "github.com/popup-shop/popup/functions/reserve-stock"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.Main(reservestock.New()) }
