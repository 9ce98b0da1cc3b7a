package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/popup-shop/popup/client"
)

// stockCommand keeps stock over HTTP, as staff does.
type stockCommand struct {
	List    levelsCommand  `cmd:"" help:"List stock levels."`
	Set     setCommand     `cmd:"" help:"Set the quantity on hand."`
	Receive receiveCommand `cmd:"" help:"Book goods in."`
	Take    takeCommand    `cmd:"" help:"Book goods out."`
	Move    moveCommand    `cmd:"" help:"Move goods from one warehouse to another."`
	Log     logCommand     `cmd:"" help:"List the movements of a stock level, the latest first."`
	Hold    holdCommand    `cmd:"" help:"Reserve stock manually."`
	Release releaseCommand `cmd:"" help:"Release a manual reservation."`
}

// table prints rows under heads, in columns.
func table(heads string, rows [][]any) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(heads, " ", "\t"))
	for _, row := range rows {
		for _, cell := range row {
			fmt.Fprintf(w, "%v\t", cell)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// figure is a number that is shown to staff only.
func figure(n *int64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(*n, 10)
}

func showLevels(levels ...client.Level) error {
	rows := make([][]any, len(levels))
	for i, l := range levels {
		rows[i] = []any{l.SKU, l.WarehouseID, figure(l.Quantity), figure(l.Reserved), l.Available, l.TotalAvailable}
	}
	return table("SKU WAREHOUSE QUANTITY RESERVED AVAILABLE IN-ALL", rows)
}

type levelsCommand struct {
	shopAddress
	SKU       string `arg:"" optional:"" help:"List only this SKU."`
	Warehouse string `help:"List only this warehouse (id or name)."`
	Page      int64  `default:"1" help:"Number of the page; a page has 100 levels."`
}

// Run lists levels.
func (c *levelsCommand) Run(ctx context.Context) error {
	shop := c.user()
	warehouse, err := findWarehouse(ctx, shop, c.Warehouse)
	if err != nil {
		return err
	}
	page, err := shop.ListStock(ctx, client.ListStockQuery{
		Paging: client.Paging{Page: c.Page, Limit: 100}, SKU: c.SKU, WarehouseID: warehouse,
	})
	if err != nil {
		return err
	}
	return showLevels(page.Items...)
}

// there names a level.
type there struct {
	shopAddress
	SKU       string `arg:"" help:"SKU."`
	Warehouse string `help:"Id or name of the warehouse; required if the SKU is in more than one."`
}

// level finds the level that is meant.
func (t there) level(ctx context.Context, shop *client.Client) (client.Level, error) {
	warehouse, err := findWarehouse(ctx, shop, t.Warehouse)
	if err != nil {
		return client.Level{}, err
	}
	page, err := shop.ListStock(ctx, client.ListStockQuery{SKU: t.SKU, WarehouseID: warehouse})
	switch {
	case err != nil:
		return client.Level{}, err
	case len(page.Items) == 0:
		return client.Level{}, fmt.Errorf("%s has no stock level in this warehouse", t.SKU)
	case len(page.Items) > 1:
		return client.Level{}, fmt.Errorf("%s is in %d warehouses; choose one with --warehouse", t.SKU, len(page.Items))
	}
	return page.Items[0], nil
}

// book books goods in or out.
func (t there) book(ctx context.Context, kind string, quantity int64, reason string) error {
	shop := t.user()
	level, err := t.level(ctx, shop)
	if err != nil {
		return err
	}
	moved, err := shop.AddStockMovement(ctx, level.ID,
		client.AddStockMovementRequest{Kind: kind, Quantity: quantity, Reason: reason})
	if err != nil {
		return err
	}
	return showLevels(moved.Level)
}

type setCommand struct {
	there
	Quantity int64  `arg:"" help:"Quantity on hand."`
	Reason   string `default:"stocktaking" help:"Reason."`
}

// Run sets a figure.
func (c *setCommand) Run(ctx context.Context) error {
	shop := c.user()
	level, err := c.level(ctx, shop)
	if err != nil {
		return err
	}
	after, err := shop.ChangeStock(ctx, level.ID, client.ChangeStockRequest{Quantity: c.Quantity, Reason: c.Reason})
	if err != nil {
		return err
	}
	return showLevels(after)
}

type receiveCommand struct {
	there
	Quantity int64  `arg:"" help:"Quantity that comes in."`
	Reason   string `default:"delivered" help:"Reason."`
	New      bool   `help:"Create the stock level: the SKU is new in the warehouse."`
}

// Run books goods in.
func (c *receiveCommand) Run(ctx context.Context) error {
	if !c.New {
		return c.book(ctx, "inbound", c.Quantity, c.Reason)
	}
	shop := c.user()
	warehouse, err := findWarehouse(ctx, shop, c.Warehouse)
	if err != nil {
		return err
	}
	level, err := shop.AddStock(ctx, client.AddStockRequest{SKU: c.SKU, WarehouseID: warehouse, Quantity: c.Quantity})
	if err != nil {
		return err
	}
	return showLevels(level)
}

type takeCommand struct {
	there
	Quantity int64  `arg:"" help:"Quantity that goes out."`
	Reason   string `required:"" help:"Reason."`
}

// Run books goods out.
func (c *takeCommand) Run(ctx context.Context) error {
	return c.book(ctx, "outbound", c.Quantity, c.Reason)
}

type moveCommand struct {
	shopAddress
	SKU      string `arg:"" help:"SKU."`
	Quantity int64  `arg:"" help:"Quantity."`
	From     string `required:"" help:"Id or name of the warehouse to take from."`
	To       string `required:"" help:"Id or name of the warehouse to move to; it must have a level of the SKU."`
}

// Run books goods out of one warehouse and into another.
func (c *moveCommand) Run(ctx context.Context) error {
	from, to := there{c.shopAddress, c.SKU, c.From}, there{c.shopAddress, c.SKU, c.To}
	if _, err := to.level(ctx, c.user()); err != nil {
		return err
	}
	if err := from.book(ctx, "outbound", c.Quantity, "moved to "+c.To); err != nil {
		return err
	}
	if err := to.book(ctx, "inbound", c.Quantity, "moved from "+c.From); err != nil {
		return fmt.Errorf("%d %s were taken from %s but not added to %s: %w", c.Quantity, c.SKU, c.From, c.To, err)
	}
	return nil
}

type logCommand struct {
	there
	Kind string `help:"List only this kind: inbound, outbound, reservation, release or adjustment."`
}

// Run lists movements.
func (c *logCommand) Run(ctx context.Context) error {
	shop := c.user()
	level, err := c.level(ctx, shop)
	if err != nil {
		return err
	}
	page, err := shop.ListStockMovements(ctx, level.ID,
		client.ListStockMovementsQuery{Paging: client.Paging{Limit: 100}, Kind: c.Kind})
	if err != nil {
		return err
	}
	rows := make([][]any, len(page.Items))
	for i, m := range page.Items {
		rows[i] = []any{m.CreatedAt.Local().Format(time.DateTime), m.Kind, m.Quantity, m.Reference, m.Reason}
	}
	return table("AT KIND QUANTITY REFERENCE REASON", rows)
}

type holdCommand struct {
	shopAddress
	Lines []string      `arg:"" help:"SKUs with quantities, such as CAP-NAVY=2."`
	For   time.Duration `default:"30m" help:"Duration."`
}

// Run holds all or nothing.
func (c *holdCommand) Run(ctx context.Context) error {
	in := client.AddReservationRequest{ExpiresInS: int64(c.For.Seconds())}
	for _, line := range c.Lines {
		sku, number, _ := strings.Cut(line, "=")
		quantity, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return fmt.Errorf("%s has no quantity; write it like %s=2", line, sku)
		}
		in.Lines = append(in.Lines, client.HoldLine{SKU: sku, Quantity: quantity})
	}
	held, err := c.user().AddReservation(ctx, in)
	if err != nil {
		return explained(err)
	}
	fmt.Printf("%s until %s\n", held.ReservationID, held.ExpiresAt.Local().Format(time.DateTime))
	return nil
}

type releaseCommand struct {
	shopAddress
	ID string `arg:"" help:"Id of the reservation."`
}

// Run gives back what is held.
func (c *releaseCommand) Run(ctx context.Context) error {
	after, err := c.user().DeleteReservation(ctx, c.ID)
	if err == nil {
		fmt.Println(after.Status)
	}
	return err
}
