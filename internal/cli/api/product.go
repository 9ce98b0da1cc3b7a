package api

import (
	"context"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/printer"
)

// ProductCommand manages products.
type ProductCommand struct {
	List   productsCommand      `cmd:"" help:"List products."`
	Show   productShowCommand   `cmd:"" help:"Show a product."`
	Add    productAddCommand    `cmd:"" help:"Add a product."`
	Edit   productEditCommand   `cmd:"" help:"Change fields of a product."`
	Delete productDeleteCommand `cmd:"" help:"Delete products."`
	Export productExportCommand `cmd:"" help:"Export the products on sale as CSV."`
	Import productImportCommand `cmd:"" help:"Import products from CSV; rows with a known SKU change the product."`
}

// paging chooses a page of a list.
type paging struct {
	Page  int64 `default:"1" help:"Number of the page."`
	Limit int64 `default:"100" help:"Items per page, at most 100."`
}

func (p paging) query() client.Paging { return client.Paging{Page: p.Page, Limit: p.Limit} }

type productsCommand struct {
	shopAddress
	paging
	Q   string `arg:"" optional:"" help:"Words that must all occur."`
	Tag string `help:"List only products with this tag."`
}

var productColumns = []printer.Column[client.Product]{
	{Name: "sku", Cell: func(p client.Product) any { return p.SKU }},
	{Name: "name", Cell: func(p client.Product) any { return p.Name }},
	{Name: "price", Cell: func(p client.Product) any { return decimal(p.Price) }},
	{Name: "available", Cell: func(p client.Product) any { return p.Stock.Available }},
	{Name: "store", Cell: func(p client.Product) any { return p.StoreName }},
	{Name: "active", Cell: func(p client.Product) any { return p.Active }},
	{Name: "id", Cell: func(p client.Product) any { return p.ID }},
}

// Run lists products.
func (c *productsCommand) Run(ctx context.Context, out *printer.Printer) error {
	page, err := c.visitor().ListProducts(ctx, client.ListProductsQuery{Paging: c.query(), Q: c.Q, Tag: c.Tag})
	if err != nil {
		return err
	}
	return printer.List(out, page.Items, productColumns...)
}

type productShowCommand struct {
	shopAddress
	Product string `arg:"" help:"SKU or id of the product."`
}

// Run shows a product.
func (c *productShowCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.visitor()
	id, err := findProduct(ctx, shop, c.Product)
	if err != nil {
		return err
	}
	p, err := shop.GetProduct(ctx, id)
	if err != nil {
		return err
	}
	return showProduct(out, p)
}

func showProduct(out *printer.Printer, p client.Product) error {
	return out.Object(
		p,
		printer.Field{Name: "id", Value: p.ID},
		printer.Field{Name: "sku", Value: p.SKU},
		printer.Field{Name: "name", Value: p.Name},
		printer.Field{Name: "description", Value: p.Description},
		printer.Field{Name: "price", Value: decimal(p.Price)},
		printer.Field{Name: "store", Value: p.StoreName},
		printer.Field{Name: "category_id", Value: p.CategoryID},
		printer.Field{Name: "tags", Value: p.Tags},
		printer.Field{Name: "active", Value: p.Active},
		printer.Field{Name: "available", Value: p.Stock.Available},
		printer.Field{Name: "created_at", Value: p.CreatedAt},
		printer.Field{Name: "updated_at", Value: p.UpdatedAt},
	)
}

type productDeleteCommand struct {
	shopAddress
	Products []string `arg:"" help:"SKUs or ids of the products."`
}

// Run deletes products and prints a result for each.
func (c *productDeleteCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	var in client.DeleteProductsRequest
	for _, name := range c.Products {
		id, err := findProduct(ctx, shop, name)
		if err != nil {
			return err
		}
		in.IDs = append(in.IDs, id)
	}
	done, err := shop.DeleteProducts(ctx, in)
	if err != nil {
		return err
	}
	return printer.List(
		out, done.Results,
		printer.Column[client.Deletion]{Name: "id", Cell: func(d client.Deletion) any { return d.ID }},
		printer.Column[client.Deletion]{Name: "deleted", Cell: func(d client.Deletion) any { return d.Deleted }},
		printer.Column[client.Deletion]{Name: "why", Cell: func(d client.Deletion) any { return d.Why }},
	)
}
