// Package producttable reads and writes tables of products as CSV, in the form in which the shop imports and exports
// them.
package producttable

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/tablecell"
	"github.com/popup-shop/popup/internal/typed"
)

// Columns are the columns of a table, in their order.
var Columns = []string{"sku", "name", "description", "price_minor", "currency", "category", "tags", "store", "active"}

const (
	maxRows  = 100       // that one request imports
	maxBytes = 128 << 10 // of the rows of one request, and of one row
)

// Row is a line of a table.
type Row struct {
	client.ImportRow
	Line int     // its number in the file
	Errs []Error // why it is not a product; none if it is one

	size int
}

// Error is what is wrong with a row.
type Error struct {
	Column string // "" if it is the whole row
	Why    string
}

func (r *Row) add(column, why string) { r.Errs = append(r.Errs, Error{column, why}) }

// Read reads a table and calls put with the rows of one request at a time, whose slice is reused. After each row it
// calls at with the number of bytes read so far. What is wrong with a row is reported in it, and ends nothing.
func Read(from io.Reader, at func(offset int64), put func([]Row) error) error {
	table := newSplitter(from)
	head, err := table.next()
	if err != nil {
		return fmt.Errorf("read head of table: %w", err)
	}
	if len(head.cells) > 0 {
		head.cells[0] = strings.TrimPrefix(head.cells[0], "\ufeff")
	}
	if !slices.Equal(head.cells, Columns) {
		return fmt.Errorf("the columns of the table must be %s", strings.Join(Columns, ","))
	}
	b := batch{put: put}
	for {
		next, err := table.next()
		if errors.Is(err, io.EOF) {
			at(table.offset)
			return b.flush()
		}
		if err != nil {
			return fmt.Errorf("read table: %w", err)
		}
		if err := b.add(parse(next)); err != nil {
			return err
		}
		at(table.offset)
	}
}

// batch holds the rows of one request.
type batch struct {
	put  func([]Row) error
	rows []Row
	size int
}

func (b *batch) add(row Row) error {
	if len(b.rows) == maxRows || b.size+row.size > maxBytes {
		if err := b.flush(); err != nil {
			return err
		}
	}
	b.rows = append(b.rows, row)
	b.size += row.size
	return nil
}

func (b *batch) flush() error {
	if len(b.rows) == 0 {
		return nil
	}
	err := b.put(b.rows)
	b.rows, b.size = b.rows[:0], 0
	return err
}

func parse(from record) (row Row) {
	row.Line, row.size = from.line, from.size
	switch {
	case from.why != "":
		row.add("", from.why)
		return row
	case len(from.cells) != len(Columns):
		row.add("", fmt.Sprintf("has %d cells instead of %d", len(from.cells), len(Columns)))
		return row
	}
	cells := map[string]string{}
	for i, name := range Columns {
		cells[name] = row.normalise(name, tablecell.Unguard(from.cells[i]))
	}
	row.SKU, row.Name, row.Description, row.Category, row.Store = cells["sku"], cells["name"], cells["description"],
		cells["category"], cells["store"]
	row.Price = client.Amount{Minor: row.number("price_minor", cells), Currency: cells["currency"]}
	row.Tags = tablecell.Split(cells["tags"])
	var err error
	if row.Active, err = strconv.ParseBool(cells["active"]); err != nil {
		row.add("active", "is neither true nor false")
	}
	return row
}

// normalise returns the text of a cell in the form of package typed.
func (r *Row) normalise(column, text string) string {
	form, accepted := typed.Line, typed.IsLine
	switch column {
	case "description":
		form, accepted = typed.Prose, typed.IsProse
	case "sku", "price_minor", "currency", "active":
		form = typed.Code
	}
	if !utf8.ValidString(text) {
		r.add(column, "is not UTF-8")
		return ""
	}
	text = form(text)
	if !accepted(text) {
		r.add(column, "must not have control characters or invisible ones")
	}
	return text
}

func (r *Row) number(column string, cells map[string]string) int64 {
	number, err := strconv.ParseInt(cells[column], 10, 64)
	if err != nil {
		r.add(column, "is not a whole number")
	}
	return number
}

// Cells returns the line of a product.
func Cells(row client.ImportRow) []string {
	cells := []string{
		row.SKU, row.Name, row.Description, strconv.FormatInt(row.Price.Minor, 10), row.Price.Currency, row.Category,
		tablecell.Join(row.Tags), row.Store, strconv.FormatBool(row.Active),
	}
	for i := range cells {
		cells[i] = tablecell.Guard(cells[i])
	}
	return cells
}

// RowOf returns the row of a product in a category.
func RowOf(p client.Product, category string) client.ImportRow {
	return client.ImportRow{
		SKU: p.SKU, Name: p.Name, Description: p.Description, Price: p.Price, Category: category, Tags: p.Tags,
		Store: tablecell.Path(p.StoreName), Active: p.Active,
	}
}

// CategoryPaths returns, for each category of a tree, the text that names it. Each category comes after its parent.
func CategoryPaths(tree []client.Category) map[string]string {
	all := make([]tablecell.Named, len(tree))
	for i, c := range tree {
		all[i] = tablecell.Named{ID: c.ID, ParentID: c.ParentID, Name: c.Name}
	}
	return tablecell.References(all)
}
