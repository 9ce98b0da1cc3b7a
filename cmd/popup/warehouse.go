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
	List   warehousesCommand      `cmd:"" help:"List warehouses in the order in which stock is taken from them."`
	Add    addWarehouseCommand    `cmd:"" help:"Create a warehouse."`
	Change changeWarehouseCommand `cmd:"" help:"Change the name, location or priority of a warehouse."`
	Delete deleteWarehouseCommand `cmd:"" help:"Delete an empty warehouse."`
}

// findWarehouse returns the id of a warehouse that is given by its id or its name; no name has no id.
func findWarehouse(ctx context.Context, shop *client.Client, name string) (string, error) {
	named := func(w client.Warehouse) (string, string) { return w.ID, w.Name }
	return findByName(ctx, "warehouse", name, shop.ListWarehouses, named)
}

// findByName returns the id of an item of a list that is given by its id or its name; no name has no id.
func findByName[T any](
	ctx context.Context, what, name string,
	list func(context.Context, client.Paging, ...client.Option) (client.Page[T], error), named func(T) (id, name string),
) (string, error) {
	if name == "" || uuid.Validate(name) == nil {
		return name, nil
	}
	for page, pages := int64(1), int64(1); page <= pages; page++ {
		got, err := list(ctx, client.Paging{Page: page, Limit: 100})
		if err != nil {
			return "", err
		}
		for _, item := range got.Items {
			if id, found := named(item); strings.EqualFold(found, name) {
				return id, nil
			}
		}
		pages = got.TotalPages
	}
	return "", fmt.Errorf("%s %q does not exist", what, name)
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
	Location string `help:"Location."`
	Priority int64  `default:"100" help:"Stock is taken from lower numbers first."`
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
	Warehouse string  `arg:"" help:"Id or name of the warehouse."`
	Name      *string `help:"New name."`
	Location  *string `help:"New location."`
	Priority  *int64  `help:"Stock is taken from lower numbers first."`
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
	changed, err := shop.ChangeWarehouse(ctx, id,
		client.WarehouseBody{Name: is.Name, Location: is.Location, Priority: is.Priority})
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
	Warehouse string `arg:"" help:"Id or name of the warehouse."`
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
