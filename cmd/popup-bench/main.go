// Command popup-bench measures how fast a shop is: orders, lists, holds and cold starts, beside references on the same
// machine.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parser := kong.Parse(&commands{}, kong.Name("popup-bench"), kong.UsageOnError(),
		kong.Description("Measure how fast a popup shop is."), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := parser.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "popup-bench:", err)
		stop()
		os.Exit(1)
	}
}
