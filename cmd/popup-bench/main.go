// Command popup-bench measures how fast a shop is: orders, lists, holds and cold starts, beside references on the same
// machine.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed := kong.Parse(&commands{}, append(options(), kong.BindTo(ctx, (*context.Context)(nil)))...)
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "popup-bench:", err)
		stop()
		os.Exit(1)
	}
}

// options are those of the command line. The programs of the functions are beside this one.
func options() []kong.Option {
	bin := "bin"
	if self, err := os.Executable(); err == nil {
		bin = filepath.Dir(self)
	}
	return []kong.Option{
		kong.Name("popup-bench"), kong.Description("Measure how fast a popup shop is."), kong.UsageOnError(),
		kong.Vars{"bin": bin},
	}
}
