package api

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"

	"github.com/vbauerster/mpb/v8"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/printer"
	"github.com/popup-shop/popup/internal/producttable"
)

type productExportCommand struct {
	shopAddress
	All  bool   `help:"Include products that are not on sale; for staff."`
	File string `arg:"" help:"CSV file to write." type:"path"`
}

// Run writes products as they come.
func (c *productExportCommand) Run(ctx context.Context, out *printer.Printer) (err error) {
	file, err := os.Create(c.File)
	if err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	table := csv.NewWriter(file)
	_ = table.Write(producttable.Columns) // Error returns the error
	read := c.onSale
	if c.All {
		read = c.all
	}
	var bar *mpb.Bar
	exported := 0
	err = read(ctx, func(rows []client.ImportRow, total int64) {
		if bar == nil {
			bar = progress(total)
		}
		for _, row := range rows {
			_ = table.Write(producttable.Cells(row))
		}
		bar.IncrBy(len(rows))
		exported += len(rows)
	})
	table.Flush()
	if err := errors.Join(err, table.Error()); err != nil {
		return err
	}
	return out.Done(map[string]any{"file": c.File, "products": exported}, "%d products are in %s", exported, c.File)
}

// all reads whatever was not deleted, as staff.
func (c *productExportCommand) all(ctx context.Context, put func(rows []client.ImportRow, total int64)) error {
	shop, query := c.user(), client.ExportProductsQuery{}
	for {
		got, err := insist(ctx, func() (client.ExportProductsAnswer, error) { return shop.ExportProducts(ctx, query) })
		if err != nil {
			return err
		}
		put(got.Rows, got.Total)
		if query.After = got.Next; query.After == "" {
			return nil
		}
	}
}

// onSale reads what visitors see, page by page.
func (c *productExportCommand) onSale(ctx context.Context, put func(rows []client.ImportRow, total int64)) error {
	shop := c.visitor()
	paths, err := categoryPaths(ctx, shop)
	if err != nil {
		return err
	}
	query := client.ListProductsQuery{Paging: client.Paging{Limit: 100}, Sort: "name"}
	for {
		got, err := insist(ctx, func() (client.Page[client.Product], error) { return shop.ListProducts(ctx, query) })
		if err != nil {
			return err
		}
		rows := make([]client.ImportRow, len(got.Items))
		for i, p := range got.Items {
			rows[i] = producttable.RowOf(p, paths[p.CategoryID])
		}
		put(rows, got.Total)
		if query.After = got.Next; query.After == "" {
			return nil
		}
	}
}

// categoryPaths returns the paths of all categories by their ids.
func categoryPaths(ctx context.Context, shop *client.Client) (map[string]string, error) {
	tree, err := shop.GetCategories(ctx)
	if err != nil {
		return nil, err
	}
	return producttable.CategoryPaths(tree.Items), nil
}
