package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/popup-shop/popup/client"
)

// warehouseCommand sees to warehouses over HTTP, as staff does.
type warehouseCommand struct {
	List   warehousesCommand      `cmd:"" help:"List warehouses in the order in which they are emptied."`
	Add    addWarehouseCommand    `cmd:"" help:"Make a warehouse."`
	Change changeWarehouseCommand `cmd:"" help:"Give a warehouse another name, place or priority."`
	Delete deleteWarehouseCommand `cmd:"" help:"Close a warehouse that is empty."`
}

// findWarehouse is the id of a warehouse that is given by its id or its name; no name has no id.
func findWarehouse(ctx context.Context, shop *client.Client, name string) (string, error) {
	if name == "" || uuid.Validate(name) == nil {
		return name, nil
	}
	page, err := shop.ListWarehouses(ctx, client.Paging{Limit: 100})
	if err != nil {
		return "", err
	}
	for _, w := range page.Items {
		if strings.EqualFold(w.Name, name) {
			return w.ID, nil
		}
	}
	return "", fmt.Errorf("there is no warehouse %s", name)
}

// explained adds to a problem what stands in the way.
func explained(err error) error {
	var p *client.Problem
	if !errors.As(err, &p) {
		return err
	}
	for _, failed := range p.FailedItems {
		err = fmt.Errorf("%w; %s: %d wanted, %d there", err, failed.SKU, failed.Requested, failed.Available)
	}
	if len(p.InUseBy) > 0 {
		err = fmt.Errorf("%w: %s", err, strings.Join(p.InUseBy, ", "))
	}
	return err
}

func showWarehouses(warehouses ...client.Warehouse) error {
	rows := make([][]any, len(warehouses))
	for i, w := range warehouses {
		rows[i] = []any{w.ID, w.Priority, w.Name, w.Location, w.Goods, w.Holds}
	}
	return table("ID PRIORITY NAME LOCATION GOODS HOLDS", rows)
}

type warehousesCommand struct{ shopAddress }

// Run lists warehouses.
func (c *warehousesCommand) Run(ctx context.Context) error {
	page, err := c.user().ListWarehouses(ctx, client.Paging{Limit: 100})
	if err != nil {
		return err
	}
	return showWarehouses(page.Items...)
}

type addWarehouseCommand struct {
	shopAddress
	Name     string `arg:"" help:"Name."`
	Location string `help:"Where it is."`
	Priority int64  `default:"100" help:"Those with lower numbers are emptied first."`
}

// Run makes a warehouse.
func (c *addWarehouseCommand) Run(ctx context.Context) error {
	made, err := c.user().AddWarehouse(ctx, client.WarehouseBody{Name: c.Name, Location: c.Location, Priority: c.Priority})
	if err != nil {
		return err
	}
	return showWarehouses(made)
}

type changeWarehouseCommand struct {
	shopAddress
	Warehouse string  `arg:"" help:"Id or name."`
	Name      *string `help:"Its name from now on."`
	Location  *string `help:"Where it is from now on."`
	Priority  *int64  `help:"Those with lower numbers are emptied first."`
}

// Run changes what is given.
func (c *changeWarehouseCommand) Run(ctx context.Context) error {
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
	changed, err := shop.ChangeWarehouse(ctx, id, client.WarehouseBody{Name: is.Name, Location: is.Location, Priority: is.Priority})
	if err != nil {
		return err
	}
	return showWarehouses(changed)
}

// given changes a value to the one that was given, if there was one.
func given[T any](value, to *T) {
	if to != nil {
		*value = *to
	}
}

type deleteWarehouseCommand struct {
	shopAddress
	Warehouse string `arg:"" help:"Id or name."`
}

// Run closes a warehouse.
func (c *deleteWarehouseCommand) Run(ctx context.Context) error {
	shop := c.user()
	id, err := findWarehouse(ctx, shop, c.Warehouse)
	if err != nil {
		return err
	}
	return explained(shop.DeleteWarehouse(ctx, id))
}
