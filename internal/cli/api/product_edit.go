package api

import (
	"context"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/cli"
	"github.com/popup-shop/popup/internal/printer"
)

type productAddCommand struct {
	shopAddress
	price
	SKU           string   `arg:"" help:"Stock keeping unit, unique in the shop."`
	Name          string   `arg:"" help:"Name."`
	Store         string   `required:"" help:"Id or name of the store that sells it."`
	Category      string   `help:"Category: its id, or the path of names, such as \"Clothes > Hats\"."`
	Description   string   `help:"Description."`
	Tag           []string `sep:"none" help:"Tag; may be repeated."`
	OutsideNumber *int64   `help:"Its number in an external catalogue."`
	Active        bool     `default:"true" negatable:"" help:"Whether it is on sale."`
}

// Run adds a product and shows it.
func (c *productAddCommand) Run(ctx context.Context, out *printer.Printer) error {
	if !c.price.given() {
		return cli.Usage("--price is missing")
	}
	amount, err := c.amount(client.Amount{Currency: "EUR"})
	if err != nil {
		return err
	}
	shop := c.user()
	store, err := findStore(ctx, shop, c.Store)
	if err != nil {
		return err
	}
	category, err := findCategory(ctx, shop, c.Category)
	if err != nil {
		return err
	}
	made, err := shop.AddProduct(ctx, client.ProductBody{
		StoreID: store, SKU: c.SKU, Name: c.Name, Description: c.Description, Price: amount,
		CategoryID: category, Tags: c.Tag, OutsideNumber: c.OutsideNumber, Active: &c.Active,
	})
	if err != nil {
		return err
	}
	return showProduct(out, made)
}

type productEditCommand struct {
	shopAddress
	price
	Product     string  `arg:"" help:"SKU or id of the product."`
	SKU         *string `help:"New SKU."`
	Name        *string `help:"New name."`
	Description *string `help:"New description."`
	Category    *string `help:"New category: its id, or the path of names; empty for none."`
	Active      *bool   `negatable:"" help:"Whether it is on sale."`
}

// Run changes what is given. The rest stays, and so do variants, tags and pictures.
func (c *productEditCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findProduct(ctx, shop, c.Product)
	if err != nil {
		return err
	}
	is, err := shop.GetProduct(ctx, id)
	if err != nil {
		return err
	}
	if c.Category != nil {
		if is.CategoryID, err = findCategory(ctx, shop, *c.Category); err != nil {
			return err
		}
	}
	if is.Price, err = c.amount(is.Price); err != nil {
		return err
	}
	given(&is.SKU, c.SKU)
	given(&is.Name, c.Name)
	given(&is.Description, c.Description)
	given(&is.Active, c.Active)
	changed, err := shop.ChangeProduct(ctx, id, client.ProductBody{
		StoreID: is.StoreID, SKU: is.SKU, Name: is.Name, Description: is.Description, Price: is.Price,
		CategoryID: is.CategoryID, Tags: is.Tags, OutsideNumber: is.OutsideNumber, Active: &is.Active,
	})
	if err != nil {
		return err
	}
	return showProduct(out, changed)
}
