// Command move-stock books goods out and in.
package main

import (
	movestock "github.com/popup-shop/popup/functions/move-stock"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.Main(movestock.New()) }
