package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/printer"
)

// WarehouseCommand sees to warehouses over HTTP, as staff does.
type WarehouseCommand struct {
	List   warehousesCommand      `cmd:"" help:"List warehouses in the order in which stock is taken from them."`
	Add    addWarehouseCommand    `cmd:"" help:"Create a warehouse."`
	Change changeWarehouseCommand `cmd:"" help:"Change the name, location or priority of a warehouse."`
	Delete deleteWarehouseCommand `cmd:"" help:"Delete an empty warehouse."`
}

// explained adds to a problem what stands in the way.
func explained(err error) error {
	var p *client.Problem
	if !errors.As(err, &p) {
		return err
	}
	for _, failed := range p.FailedItems {
		err = fmt.Errorf("%w; %s: %d requested, %d available", err, failed.SKU, failed.Requested, failed.Available)
	}
	if len(p.InUseBy) > 0 {
		err = fmt.Errorf("%w: %s", err, strings.Join(p.InUseBy, ", "))
	}
	return err
}

var warehouseColumns = []printer.Column[client.Warehouse]{
	{Name: "id", Cell: func(w client.Warehouse) any { return w.ID }},
	{Name: "priority", Cell: func(w client.Warehouse) any { return w.Priority }},
	{Name: "name", Cell: func(w client.Warehouse) any { return w.Name }},
	{Name: "location", Cell: func(w client.Warehouse) any { return w.Location }},
	{Name: "goods", Cell: func(w client.Warehouse) any { return w.Goods }},
	{Name: "holds", Cell: func(w client.Warehouse) any { return w.Holds }},
}

func showWarehouse(out *printer.Printer, w client.Warehouse) error {
	return out.Object(
		w,
		printer.Field{Name: "id", Value: w.ID},
		printer.Field{Name: "priority", Value: w.Priority},
		printer.Field{Name: "name", Value: w.Name},
		printer.Field{Name: "location", Value: w.Location},
		printer.Field{Name: "goods", Value: w.Goods},
		printer.Field{Name: "holds", Value: w.Holds},
	)
}

type warehousesCommand struct {
	shopAddress
	paging
}

// Run lists warehouses.
func (c *warehousesCommand) Run(ctx context.Context, out *printer.Printer) error {
	page, err := c.user().ListWarehouses(ctx, c.query())
	if err != nil {
		return err
	}
	return printer.List(out, page.Items, warehouseColumns...)
}

type addWarehouseCommand struct {
	shopAddress
	Name     string `arg:"" help:"Name."`
	Location string `help:"Location."`
	Priority int64  `default:"100" help:"Stock is taken from lower numbers first."`
}

// Run makes a warehouse.
func (c *addWarehouseCommand) Run(ctx context.Context, out *printer.Printer) error {
	made, err := c.user().AddWarehouse(ctx, client.WarehouseBody{Name: c.Name, Location: c.Location, Priority: c.Priority})
	if err != nil {
		return err
	}
	return showWarehouse(out, made)
}

type changeWarehouseCommand struct {
	shopAddress
	Warehouse string  `arg:"" help:"Id or name of the warehouse."`
	Name      *string `help:"New name."`
	Location  *string `help:"New location."`
	Priority  *int64  `help:"Stock is taken from lower numbers first."`
}

// Run changes what is given.
func (c *changeWarehouseCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findWarehouse(ctx, shop, c.Warehouse)
	if err != nil {
		return err
	}
	is, err := shop.GetWarehouse(ctx, id)
	if err != nil {
		return err
	}
	given(&is.Name, c.Name)
	given(&is.Location, c.Location)
	given(&is.Priority, c.Priority)
	changed, err := shop.ChangeWarehouse(ctx, id,
		client.WarehouseBody{Name: is.Name, Location: is.Location, Priority: is.Priority})
	if err != nil {
		return err
	}
	return showWarehouse(out, changed)
}

// given changes a value to the one that was given, if there was one.
func given[T any](value, to *T) {
	if to != nil {
		*value = *to
	}
}

type deleteWarehouseCommand struct {
	shopAddress
	Warehouse string `arg:"" help:"Id or name of the warehouse."`
}

// Run closes a warehouse.
func (c *deleteWarehouseCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findWarehouse(ctx, shop, c.Warehouse)
	if err != nil {
		return err
	}
	if err := shop.DeleteWarehouse(ctx, id); err != nil {
		return explained(err)
	}
	return out.Done(map[string]string{"id": id}, "%s is deleted", c.Warehouse)
}
