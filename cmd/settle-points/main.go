// Command settle-points spends, earns, reclaims and lapses points.
package main

import (
	settlepoints "github.com/popup-shop/popup/functions/settle-points"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(settlepoints.New) }
