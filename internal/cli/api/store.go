package api

import (
	"context"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/printer"
)

// StoreCommand manages the stores that sell the products.
type StoreCommand struct {
	List   storesCommand      `cmd:"" help:"List stores."`
	Add    storeAddCommand    `cmd:"" help:"Open a store."`
	Edit   storeEditCommand   `cmd:"" help:"Change the name or location of a store, or whether its products are on sale."`
	Delete storeDeleteCommand `cmd:"" help:"Close a store and delete its products."`
}

type storesCommand struct {
	shopAddress
	paging
}

// Run lists stores.
func (c *storesCommand) Run(ctx context.Context, out *printer.Printer) error {
	page, err := c.visitor().ListStores(ctx, c.query())
	if err != nil {
		return err
	}
	return printer.List(
		out, page.Items,
		printer.Column[client.Store]{Name: "name", Cell: func(s client.Store) any { return s.Name }},
		printer.Column[client.Store]{Name: "location", Cell: func(s client.Store) any { return s.Location }},
		printer.Column[client.Store]{Name: "participating", Cell: func(s client.Store) any { return s.Participating }},
		printer.Column[client.Store]{Name: "id", Cell: func(s client.Store) any { return s.ID }},
	)
}

func showStore(out *printer.Printer, s client.Store) error {
	return out.Object(
		s,
		printer.Field{Name: "id", Value: s.ID},
		printer.Field{Name: "name", Value: s.Name},
		printer.Field{Name: "location", Value: s.Location},
		printer.Field{Name: "participating", Value: s.Participating},
		printer.Field{Name: "check_delay_s", Value: s.CheckDelay},
		printer.Field{Name: "warehouse_id", Value: s.WarehouseID},
	)
}

type storeAddCommand struct {
	shopAddress
	Name      string `arg:"" help:"Name."`
	Location  string `required:"" help:"Location."`
	Warehouse string `help:"Id or name of the warehouse that it sells from; by default a new one."`
}

// Run opens a store.
func (c *storeAddCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	warehouse, err := findWarehouse(ctx, shop, c.Warehouse)
	if err != nil {
		return err
	}
	made, err := shop.AddStore(ctx, client.StoreBody{Name: c.Name, Location: c.Location, WarehouseID: warehouse})
	if err != nil {
		return err
	}
	return showStore(out, made)
}

type storeEditCommand struct {
	shopAddress
	Store         string  `arg:"" help:"Id or name of the store."`
	Name          *string `help:"New name."`
	Location      *string `help:"New location."`
	Participating *bool   `negatable:"" help:"Whether its products are on sale."`
}

// Run changes what is given.
func (c *storeEditCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findStore(ctx, shop, c.Store)
	if err != nil {
		return err
	}
	is, err := shop.GetStore(ctx, id)
	if err != nil {
		return err
	}
	given(&is.Name, c.Name)
	given(&is.Location, c.Location)
	body := client.StoreBody{Name: is.Name, Location: is.Location, CheckDelay: is.CheckDelay, WarehouseID: is.WarehouseID}
	if is, err = shop.ChangeStore(ctx, id, body); err != nil {
		return err
	}
	if c.Participating != nil {
		change := shop.DeleteStoreParticipating
		if *c.Participating {
			change = shop.ChangeStoreParticipating
		}
		if is, err = change(ctx, id); err != nil {
			return err
		}
	}
	return showStore(out, is)
}

type storeDeleteCommand struct {
	shopAddress
	Store   string `arg:"" help:"Id or name of the store."`
	Confirm bool   `help:"Delete its products too."`
}

// Run closes a store.
func (c *storeDeleteCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findStore(ctx, shop, c.Store)
	if err != nil {
		return err
	}
	if err := shop.DeleteStore(ctx, id, client.DeleteStoreQuery{Confirm: c.Confirm}); err != nil {
		return explained(err)
	}
	return out.Done(map[string]string{"id": id}, "%s is closed", c.Store)
}
