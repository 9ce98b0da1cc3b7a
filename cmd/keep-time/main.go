// Command keep-time emits events for what is due.
package main

import (
	keeptime "github.com/popup-shop/popup/functions/keep-time"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.Main(keeptime.New()) }
