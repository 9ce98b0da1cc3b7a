package api

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/cli"
	"github.com/popup-shop/popup/internal/printer"
)

// StockCommand keeps stock over HTTP, as staff does.
type StockCommand struct {
	List    levelsCommand  `cmd:"" help:"List stock levels."`
	Set     setCommand     `cmd:"" help:"Set the quantity on hand."`
	Receive receiveCommand `cmd:"" help:"Book goods in."`
	Take    takeCommand    `cmd:"" help:"Book goods out."`
	Move    moveCommand    `cmd:"" help:"Move goods from one warehouse to another."`
	Log     logCommand     `cmd:"" help:"List the movements of a stock level, the latest first."`
	Hold    holdCommand    `cmd:"" help:"Reserve stock manually."`
	Release releaseCommand `cmd:"" help:"Release a manual reservation."`
}

var levelColumns = []printer.Column[client.Level]{
	{Name: "sku", Cell: func(l client.Level) any { return l.SKU }},
	{Name: "warehouse_id", Cell: func(l client.Level) any { return l.WarehouseID }},
	{Name: "quantity", Cell: func(l client.Level) any { return l.Quantity }},
	{Name: "reserved", Cell: func(l client.Level) any { return l.Reserved }},
	{Name: "available", Cell: func(l client.Level) any { return l.Available }},
	{Name: "total_available", Cell: func(l client.Level) any { return l.TotalAvailable }},
}

func showLevel(out *printer.Printer, l client.Level) error {
	return out.Object(
		l,
		printer.Field{Name: "sku", Value: l.SKU},
		printer.Field{Name: "warehouse_id", Value: l.WarehouseID},
		printer.Field{Name: "quantity", Value: l.Quantity},
		printer.Field{Name: "reserved", Value: l.Reserved},
		printer.Field{Name: "available", Value: l.Available},
		printer.Field{Name: "total_available", Value: l.TotalAvailable},
	)
}

type levelsCommand struct {
	shopAddress
	SKU       string `arg:"" optional:"" help:"List only this SKU."`
	Warehouse string `help:"List only this warehouse (id or name)."`
	paging
}

// Run lists levels.
func (c *levelsCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	warehouse, err := findWarehouse(ctx, shop, c.Warehouse)
	if err != nil {
		return err
	}
	page, err := shop.ListStock(ctx, client.ListStockQuery{
		Paging: c.query(), SKU: c.SKU, WarehouseID: warehouse,
	})
	if err != nil {
		return err
	}
	return printer.List(out, page.Items, levelColumns...)
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

// book books goods in or out, and returns the level after it.
func (t there) book(ctx context.Context, kind string, quantity int64, reason string) (client.Level, error) {
	shop := t.user()
	level, err := t.level(ctx, shop)
	if err != nil {
		return level, err
	}
	moved, err := shop.AddStockMovement(ctx, level.ID,
		client.AddStockMovementRequest{Kind: kind, Quantity: quantity, Reason: reason})
	return moved.Level, err
}

type setCommand struct {
	there
	Quantity int64  `arg:"" help:"Quantity on hand."`
	Reason   string `default:"stocktaking" help:"Reason."`
}

// Run sets a figure.
func (c *setCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	level, err := c.level(ctx, shop)
	if err != nil {
		return err
	}
	after, err := shop.ChangeStock(ctx, level.ID, client.ChangeStockRequest{Quantity: c.Quantity, Reason: c.Reason})
	if err != nil {
		return err
	}
	return showLevel(out, after)
}

type receiveCommand struct {
	there
	Quantity int64  `arg:"" help:"Quantity that comes in."`
	Reason   string `default:"delivered" help:"Reason."`
	New      bool   `help:"Create the stock level: the SKU is new in the warehouse."`
}

// Run books goods in.
func (c *receiveCommand) Run(ctx context.Context, out *printer.Printer) error {
	if !c.New {
		level, err := c.book(ctx, "inbound", c.Quantity, c.Reason)
		if err != nil {
			return err
		}
		return showLevel(out, level)
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
	return showLevel(out, level)
}

type takeCommand struct {
	there
	Quantity int64  `arg:"" help:"Quantity that goes out."`
	Reason   string `required:"" help:"Reason."`
}

// Run books goods out.
func (c *takeCommand) Run(ctx context.Context, out *printer.Printer) error {
	level, err := c.book(ctx, "outbound", c.Quantity, c.Reason)
	if err != nil {
		return err
	}
	return showLevel(out, level)
}

type moveCommand struct {
	shopAddress
	SKU      string `arg:"" help:"SKU."`
	Quantity int64  `arg:"" help:"Quantity."`
	From     string `required:"" help:"Id or name of the warehouse to take from."`
	To       string `required:"" help:"Id or name of the warehouse to move to; it must have a level of the SKU."`
}

// Run books goods out of one warehouse and into another.
func (c *moveCommand) Run(ctx context.Context, out *printer.Printer) error {
	from, to := there{c.shopAddress, c.SKU, c.From}, there{c.shopAddress, c.SKU, c.To}
	if _, err := to.level(ctx, c.user()); err != nil {
		return err
	}
	taken, err := from.book(ctx, "outbound", c.Quantity, "moved to "+c.To)
	if err != nil {
		return err
	}
	added, err := to.book(ctx, "inbound", c.Quantity, "moved from "+c.From)
	if err != nil {
		return fmt.Errorf("%d %s were taken from %s but not added to %s: %w", c.Quantity, c.SKU, c.From, c.To, err)
	}
	return printer.List(out, []client.Level{taken, added}, levelColumns...)
}

type logCommand struct {
	there
	paging
	Kind string `default:"" enum:",inbound,outbound,reservation,release,adjustment" help:"List only this kind: inbound, outbound, reservation, release or adjustment."`
}

// Run lists movements.
func (c *logCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	level, err := c.level(ctx, shop)
	if err != nil {
		return err
	}
	page, err := shop.ListStockMovements(ctx, level.ID,
		client.ListStockMovementsQuery{Paging: c.query(), Kind: c.Kind})
	if err != nil {
		return err
	}
	return printer.List(
		out, page.Items,
		printer.Column[client.Movement]{Name: "created_at", Cell: func(m client.Movement) any { return m.CreatedAt }},
		printer.Column[client.Movement]{Name: "kind", Cell: func(m client.Movement) any { return m.Kind }},
		printer.Column[client.Movement]{Name: "quantity", Cell: func(m client.Movement) any { return m.Quantity }},
		printer.Column[client.Movement]{Name: "reference", Cell: func(m client.Movement) any { return m.Reference }},
		printer.Column[client.Movement]{Name: "reason", Cell: func(m client.Movement) any { return m.Reason }},
	)
}

type holdCommand struct {
	shopAddress
	Lines []string      `arg:"" help:"SKUs with quantities, such as CAP-NAVY=2."`
	For   time.Duration `default:"30m" help:"Duration."`
}

// Run holds all or nothing.
func (c *holdCommand) Run(ctx context.Context, out *printer.Printer) error {
	in := client.AddReservationRequest{ExpiresInS: int64(c.For.Seconds())}
	for _, line := range c.Lines {
		sku, number, _ := strings.Cut(line, "=")
		quantity, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return cli.Usage("%s has no quantity; write it like %s=2", line, sku)
		}
		in.Lines = append(in.Lines, client.HoldLine{SKU: sku, Quantity: quantity})
	}
	held, err := c.user().AddReservation(ctx, in)
	if err != nil {
		return explained(err)
	}
	return out.Done(held, "%s until %s", held.ReservationID, held.ExpiresAt.Local().Format(time.DateTime))
}

type releaseCommand struct {
	shopAddress
	ID string `arg:"" help:"Id of the reservation."`
}

// Run gives back what is held.
func (c *releaseCommand) Run(ctx context.Context, out *printer.Printer) error {
	after, err := c.user().DeleteReservation(ctx, c.ID)
	if err != nil {
		return err
	}
	return out.Done(after, "%s", after.Status)
}
