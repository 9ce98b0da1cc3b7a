// Command track-order joins the facts about orders and decides.
package main

import (
	trackorder "github.com/popup-shop/popup/functions/track-order"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(trackorder.New) }
