package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/popup-shop/popup/client"
)

// productCommand speaks to a shop over HTTP.
type productCommand struct {
	List   productsCommand      `cmd:"" help:"List products."`
	Show   productShowCommand   `cmd:"" help:"Show a product."`
	Add    productAddCommand    `cmd:"" help:"Add a product."`
	Edit   productEditCommand   `cmd:"" help:"Change fields of a product."`
	Delete productDeleteCommand `cmd:"" help:"Delete products."`
	Export productExportCommand `cmd:"" help:"Export the products on sale as CSV."`
	Import productImportCommand `cmd:"" help:"Import products from CSV; rows with a known SKU change the product."`
}

type productsCommand struct {
	shopAddress
	Q     string `arg:"" optional:"" help:"Words that must all occur."`
	Tag   string `help:"List only products with this tag."`
	Page  int64  `default:"1" help:"Number of the page."`
	Limit int64  `default:"20" help:"Products per page."`
}

// Run lists products.
func (c *productsCommand) Run(ctx context.Context) error {
	query := client.ListProductsQuery{Paging: client.Paging{Page: c.Page, Limit: c.Limit}, Q: c.Q, Tag: c.Tag}
	page, err := c.visitor().ListProducts(ctx, query)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(os.Stdout)
	for _, p := range page.Items {
		if err := lines.Encode(p); err != nil {
			return err
		}
	}
	return nil
}

type productShowCommand struct {
	shopAddress
	ID string `arg:"" help:"Id of the product."`
}

// Run shows a product.
func (c *productShowCommand) Run(ctx context.Context) error {
	p, err := c.visitor().GetProduct(ctx, c.ID)
	if err != nil {
		return err
	}
	return showProduct(p)
}

func showProduct(p client.Product) error {
	indented := json.NewEncoder(os.Stdout)
	indented.SetIndent("", "  ")
	return indented.Encode(p)
}

type productDeleteCommand struct {
	shopAddress
	IDs []string `arg:"" help:"Ids of the products."`
}

// Run deletes products and prints a result for each.
func (c *productDeleteCommand) Run(ctx context.Context) error {
	done, err := c.user().DeleteProducts(ctx, client.DeleteProductsRequest{IDs: c.IDs})
	if err != nil {
		return err
	}
	lines := json.NewEncoder(os.Stdout)
	for _, result := range done.Results {
		if err := lines.Encode(result); err != nil {
			return err
		}
	}
	return nil
}
