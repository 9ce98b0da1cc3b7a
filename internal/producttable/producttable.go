// Package producttable reads and writes tables of products as CSV, in the form in which the shop imports and exports
// them.
package producttable

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/popup-shop/popup/client"
)

// Columns are the columns of a table, in their order.
var Columns = []string{"sku", "name", "description", "price_minor", "currency", "category", "tags", "store", "active"}

// maxRows is how many rows one request imports.
const maxRows = 100

// Row is a line of a table.
type Row struct {
	client.ImportRow
	Line int    // its number in the file
	Why  string // why it is not a product; empty if it is one
}

// Read reads a table and calls put with up to a hundred rows at a time, whose slice is reused. After each line it calls
// at with the number of bytes read so far. A wrong cell is reported in its row, and does not end the table.
func Read(from io.Reader, at func(offset int64), put func([]Row) error) error {
	table := csv.NewReader(from)
	table.ReuseRecord = true
	head, err := table.Read()
	if err != nil {
		return fmt.Errorf("read head of table: %w", err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	if !slices.Equal(head, Columns) {
		return fmt.Errorf("the columns of the table must be %s", strings.Join(Columns, ","))
	}
	rows := make([]Row, 0, maxRows)
	for {
		cells, err := table.Read()
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return fmt.Errorf("read table: %w", err)
		}
		if !last {
			line, _ := table.FieldPos(0)
			rows = append(rows, parse(cells, line))
		}
		if len(rows) == maxRows || last && len(rows) > 0 {
			if err := put(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
		at(table.InputOffset())
		if last {
			return nil
		}
	}
}

func parse(cells []string, line int) (row Row) {
	minor, err := strconv.ParseInt(cells[3], 10, 64)
	row.Line = line
	if err != nil {
		row.Why = "price_minor is no whole number"
	}
	row.SKU, row.Name, row.Description, row.Category, row.Store = cells[0], cells[1], cells[2], cells[5], cells[7]
	row.Price = client.Amount{Minor: minor, Currency: cells[4]}
	if cells[6] != "" {
		row.Tags = strings.Split(cells[6], "|")
	}
	row.Active, err = strconv.ParseBool(cells[8])
	if err != nil {
		row.Why = "active is neither true nor false"
	}
	return row
}

// Cells returns the line of a product.
func Cells(row client.ImportRow) []string {
	return []string{
		row.SKU, row.Name, row.Description, strconv.FormatInt(row.Price.Minor, 10), row.Price.Currency, row.Category,
		strings.Join(row.Tags, "|"), row.Store, strconv.FormatBool(row.Active),
	}
}

// RowOf returns the row of a product in a category.
func RowOf(p client.Product, category string) client.ImportRow {
	return client.ImportRow{
		SKU: p.SKU, Name: p.Name, Description: p.Description, Price: p.Price, Category: category, Tags: p.Tags,
		Store: p.StoreName, Active: p.Active,
	}
}

// CategoryPaths returns, for each category of a tree, the names from the top to it. Each category comes after its parent.
func CategoryPaths(tree []client.Category) map[string]string {
	paths := map[string]string{}
	for _, c := range tree {
		paths[c.ID] = c.Name
		if c.ParentID != "" {
			paths[c.ID] = paths[c.ParentID] + " > " + c.Name
		}
	}
	return paths
}
