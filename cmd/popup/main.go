// Command popup runs a shop, shows what happens in it, and repairs it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/popup-shop/popup/internal/cli"
	"github.com/popup-shop/popup/internal/cli/api"
)

type commands struct {
	Run         runCommand           `cmd:"" help:"Run the whole shop on this machine."`
	Status      api.StatusCommand    `cmd:"" help:"Show whether each part of the shop works."`
	Points      api.PointsCommand    `cmd:"" help:"Show the points of accounts, add and take them."`
	Order       api.OrderCommand     `cmd:"" help:"Show, ship, move and cancel orders, and write notes about them."`
	Payment     api.PaymentCommand   `cmd:"" help:"Show payments, refunds, money in suspense and reconciliations."`
	Trace       traceCommand         `cmd:"" help:"Draw the events of an order over time."`
	Events      eventsCommand        `cmd:"" help:"Show events, send one, deliver past ones again, and drop old ones."`
	DeadLetters deadLettersCommand   `cmd:"" name:"deadletters" help:"Manage events that no function could handle."`
	Check       checkCommand         `cmd:"" help:"Check the shop's invariants in its database; each row must be 0."`
	Books       booksCommand         `cmd:"" help:"Show the trial balance of all money and points."`
	Product     api.ProductCommand   `cmd:"" help:"Show, change, import and export products."`
	Category    api.CategoryCommand  `cmd:"" help:"Manage categories."`
	Store       api.StoreCommand     `cmd:"" help:"Manage stores."`
	Stock       api.StockCommand     `cmd:"" help:"Show and change stock."`
	Warehouse   api.WarehouseCommand `cmd:"" help:"Manage warehouses."`
	User        userCommand          `cmd:"" help:"Sign up, sign in, and manage accounts."`
	Mail        mailCommand          `cmd:"" help:"List mails that were not sent, and send them again."`
	Mailbox     mailboxCommand       `cmd:"" help:"Run a mail server that shows mails on a page instead of sending them."`
	Migrate     migrateCommand       `cmd:"" help:"Update a database: schema, subscriptions and roles."`
	Seed        seedCommand          `cmd:"" help:"Fill a shop with demo data."`
	Key         keyCommand           `cmd:"" help:"Generate a key for access tokens, as settings."`
	Env         envCommand           `cmd:"" help:"Show every setting with its default and meaning."`

	cli.Common
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := program().Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// program returns the command line.
func program() cli.Program {
	var all commands
	return cli.Program{
		Grammar: &all, Common: &all.Common, Options: []kong.Option{vars()},
		Names: map[string][]string{"domains": checkDomains(), "functions": functionNames(), "types": eventTypes()},
	}
}
