package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/popup-shop/popup/client"
)

type productAddCommand struct {
	shopAddress
	SKU           string   `arg:"" help:"Stock keeping unit, unique in the shop."`
	Name          string   `arg:"" help:"Name."`
	PriceMinor    int64    `required:"" help:"Price in minor units: 1999 is 19.99 EUR."`
	Currency      string   `default:"EUR" help:"Currency of the price (ISO 4217)."`
	Store         string   `required:"" help:"Id or name of the store that sells it."`
	Category      string   `help:"Category: its id, or the path of names, such as \"Clothes > Hats\"."`
	Description   string   `help:"Description."`
	Tag           []string `sep:"none" help:"Tag; may be repeated."`
	OutsideNumber *int64   `help:"Its number in an external catalogue."`
	Active        bool     `default:"true" negatable:"" help:"Whether it is on sale."`
}

// Run adds a product and shows it.
func (c *productAddCommand) Run(ctx context.Context) error {
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
		StoreID: store, SKU: c.SKU, Name: c.Name, Description: c.Description, Price: client.Amount{
			Minor: c.PriceMinor, Currency: c.Currency,
		},
		CategoryID: category, Tags: c.Tag, OutsideNumber: c.OutsideNumber, Active: &c.Active,
	})
	if err != nil {
		return err
	}
	return showProduct(made)
}

type productEditCommand struct {
	shopAddress
	ID          string  `arg:"" help:"Id of the product."`
	SKU         *string `help:"New SKU."`
	Name        *string `help:"New name."`
	Description *string `help:"New description."`
	PriceMinor  *int64  `help:"New price in minor units."`
	Currency    *string `help:"New currency of the price."`
	Category    *string `help:"New category: its id, or the path of names; empty for none."`
	Active      *bool   `negatable:"" help:"Whether it is on sale."`
}

// Run changes what is given. The rest stays, and so do variants, tags and pictures.
func (c *productEditCommand) Run(ctx context.Context) error {
	shop := c.user()
	is, err := shop.GetProduct(ctx, c.ID)
	if err != nil {
		return err
	}
	if c.Category != nil {
		if is.CategoryID, err = findCategory(ctx, shop, *c.Category); err != nil {
			return err
		}
	}
	given(&is.SKU, c.SKU)
	given(&is.Name, c.Name)
	given(&is.Description, c.Description)
	given(&is.Price.Minor, c.PriceMinor)
	given(&is.Price.Currency, c.Currency)
	given(&is.Active, c.Active)
	changed, err := shop.ChangeProduct(ctx, c.ID, client.ProductBody{
		StoreID: is.StoreID, SKU: is.SKU, Name: is.Name, Description: is.Description, Price: is.Price,
		CategoryID: is.CategoryID, Tags: is.Tags, OutsideNumber: is.OutsideNumber, Active: &is.Active,
	})
	if err != nil {
		return err
	}
	return showProduct(changed)
}

// findStore returns the id of a store that is given by its id or its name.
func findStore(ctx context.Context, shop *client.Client, name string) (string, error) {
	return findByName(ctx, "store", name, shop.ListStores, func(s client.Store) (string, string) { return s.ID, s.Name })
}

// findCategory is the id of a category that is given by its id or its names from the top; no name has no id.
func findCategory(ctx context.Context, shop *client.Client, path string) (string, error) {
	if path == "" || uuid.Validate(path) == nil {
		return path, nil
	}
	paths, err := categoryPaths(ctx, shop)
	if err != nil {
		return "", err
	}
	for id, found := range paths {
		if strings.EqualFold(found, path) {
			return id, nil
		}
	}
	return "", fmt.Errorf("category %q does not exist", path)
}
