// Command popup is the shop for people: it runs it, looks into it and repairs it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands are what one can type after popup.
type commands struct {
	Run       runCommand       `cmd:"" help:"Run the whole shop on this machine."`
	Migrate   migrateCommand   `cmd:"" help:"Bring a database up to date: schema, subscriptions, roles."`
	Seed      seedCommand      `cmd:"" help:"Fill a shop with demo data."`
	Events    eventsCommand    `cmd:"" help:"Show events as they are said."`
	Parked    parkedCommand    `cmd:"" help:"Look at events that nobody could handle, and deal with them."`
	Check     checkCommand     `cmd:"" help:"Prove the shop's promises against its database; each row must be 0."`
	Product   productCommand   `cmd:"" help:"Look at products, and move them in and out of tables."`
	Stock     stockCommand     `cmd:"" help:"See how many there are and where, and keep stock."`
	Warehouse warehouseCommand `cmd:"" help:"See to warehouses."`
	User      userCommand      `cmd:"" help:"Sign up, sign in, and see to accounts."`
	Key       keyCommand       `cmd:"" help:"Make a key of access tokens, as settings."`
	Env       envCommand       `cmd:"" help:"Show every setting with its default and meaning."`
	Mailbox   mailboxCommand   `cmd:"" help:"Accept mails and show them on a page, in the place of a mail server."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parser := kong.Parse(&commands{}, kong.Name("popup"), kong.UsageOnError(),
		kong.Description("A shop that is not there until a customer walks in."),
		kong.BindTo(ctx, (*context.Context)(nil)), vars())
	if err := parser.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "popup:", err)
		stop()
		os.Exit(1)
	}
}
