// Command complete-order ends delivered orders.
package main

import (
	completeorder "github.com/popup-shop/popup/functions/complete-order"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.Main(completeorder.New()) }
