// Command sweep-events publishes undelivered events again.
package main

import (
	sweepevents "github.com/popup-shop/popup/functions/sweep-events"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.Main(sweepevents.New()) }
