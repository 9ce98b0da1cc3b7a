// Command popup runs a shop, shows what happens in it, and repairs it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Run         runCommand         `cmd:"" help:"Run the whole shop on this machine."`
	Migrate     migrateCommand     `cmd:"" help:"Update a database: schema, subscriptions and roles."`
	Seed        seedCommand        `cmd:"" help:"Fill a shop with demo data."`
	Events      eventsCommand      `cmd:"" help:"Show events, deliver past ones again, and drop old ones."`
	DeadLetters deadLettersCommand `cmd:"" name:"deadletters" help:"Manage events that no function could handle."`
	Check       checkCommand       `cmd:"" help:"Check the shop's invariants in its database; each row must be 0."`
	Product     productCommand     `cmd:"" help:"Show, import and export products."`
	Stock       stockCommand       `cmd:"" help:"Show and change stock."`
	Warehouse   warehouseCommand   `cmd:"" help:"Manage warehouses."`
	User        userCommand        `cmd:"" help:"Sign up, sign in, and manage accounts."`
	Key         keyCommand         `cmd:"" help:"Generate a key for access tokens, as settings."`
	Env         envCommand         `cmd:"" help:"Show every setting with its default and meaning."`
	Mail        mailCommand        `cmd:"" help:"List mails that were not sent, and send them again."`
	Mailbox     mailboxCommand     `cmd:"" help:"Run a mail server that shows mails on a page instead of sending them."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parser := kong.Parse(&commands{}, kong.Name("popup"), kong.UsageOnError(),
		kong.Description("A shop that costs nothing while nobody buys."),
		kong.BindTo(ctx, (*context.Context)(nil)), vars())
	if err := parser.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "popup:", err)
		stop()
		os.Exit(1)
	}
}
