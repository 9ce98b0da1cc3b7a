// Package table is how the office lists things: in a table whose columns sort it, in pages of a size that its reader
// chooses, and as a CSV file. A list has columns and is read from the API:
//
//	t := table.Table[client.Mail]{Key: "office.mails", Columns: mailColumns(r.View)}
//	err := t.Read(r, "-created_at", func(ctx context.Context, paging client.Paging, sort string) (client.Page[client.Mail], error) {
//		return r.API.ListMails(ctx, client.ListMailsQuery{Paging: paging, Sort: sort})
//	})
//	return t.Show(r, mailsPage(r.View, t))
//
// The page shows it with @table.Grid and @table.Foot.
package table

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// Column is a column of a list of T.
type Column[T any] struct {
	Key      string           // of its heading
	Label    string           // its heading, in place of Key
	Class    string           // "num" for numbers
	Unseen   bool             // its heading is read out, and not shown
	Head     bool             // its cells name their rows
	Up, Down string           // its orders in the address, the smallest or the greatest first; "" where there is none
	Compare  func(a, b T) int // sorts a list that is held as a whole
	Text     func(T) string   // its cell in a file, and in a table if there is no Cell; nil leaves it out of files
	Cell     func(T) templ.Component
	FileOnly bool
}

// Sorted returns a column by which the API sorts both ways, under a name and under the name with a minus before it.
func (c Column[T]) Sorted(name string) Column[T] {
	c.Up, c.Down = name, "-"+name
	return c
}

// By returns a column that sorts a list that is held as a whole.
func (c Column[T]) By(name string, compare func(a, b T) int) Column[T] {
	c.Compare = compare
	return c.Sorted(name)
}

// ByText returns a column that sorts such a list by the text of its cells.
func (c Column[T]) ByText(name string) Column[T] {
	return c.By(name, func(a, b T) int { return strings.Compare(strings.ToLower(c.Text(a)), strings.ToLower(c.Text(b))) })
}

func (c Column[T]) heading(v *ui.View) string {
	if c.Label != "" {
		return c.Label
	}
	return v.T(c.Key)
}

// Choice has a box in each row, for a form that acts on many.
type Choice[T any] struct {
	Name  string // of the field
	Form  string // id of the form
	Value func(T) string
	Label func(T) string
}

// Table is a list that is shown in pages.
type Table[T any] struct {
	Key     string // of its name
	Columns []Column[T]
	Choice  *Choice[T]
	Class   string
	Whole   bool // all rows are on one page

	Items             []T // of the page; of all pages in a file
	Page, Size, Total int64
	Sort              string
}

// Sizes are how many rows a page may have.
var Sizes = []int64{5, 10, 25, 100}

// maxPage is how many rows the API returns at once, and maxFile how many a file has at most.
const (
	usualSize = 25
	maxPage   = 100
	maxFile   = 10_000
)

// List returns a page of a list from the API, in an order of the API.
type List[T any] func(ctx context.Context, paging client.Paging, sort string) (client.Page[T], error)

// Read reads the page that the address asks for, or all rows for a file.
func (t *Table[T]) Read(r *page.Request, first string, list List[T]) error {
	t.Sort, t.Page, t.Size = t.order(r, first), pageOf(r), sizeOf(r)
	if isFile(r) {
		return t.readAll(r.Context(), list)
	}
	found, err := list(r.Context(), client.Paging{Page: t.Page, Limit: t.Size}, t.Sort)
	t.Items, t.Total = found.Items, found.Total
	return err
}

func (t *Table[T]) readAll(ctx context.Context, list List[T]) error {
	for number := int64(1); int64(len(t.Items)) < maxFile; number++ {
		found, err := list(ctx, client.Paging{Page: number, Limit: maxPage}, t.Sort)
		if err != nil {
			return err
		}
		t.Items, t.Total = append(t.Items, found.Items...), found.Total
		if len(found.Items) == 0 || int64(len(t.Items)) >= found.Total {
			break
		}
	}
	return nil
}

// Hold takes the page that the address asks for out of a list that is there as a whole, or all of it for a file.
func (t *Table[T]) Hold(r *page.Request, first string, all []T) {
	t.Sort, t.Page, t.Size, t.Total = t.order(r, first), pageOf(r), sizeOf(r), int64(len(all))
	t.Items = slices.Clone(all)
	for _, c := range t.Columns {
		switch {
		case c.Compare == nil:
		case t.Sort == c.Up:
			slices.SortStableFunc(t.Items, c.Compare)
		case t.Sort == c.Down:
			slices.SortStableFunc(t.Items, func(a, b T) int { return c.Compare(b, a) })
		}
	}
	if !isFile(r) && !t.Whole {
		from := min((t.Page-1)*t.Size, t.Total)
		t.Items = t.Items[from:min(from+t.Size, t.Total)]
	}
}

// Show shows a page with the table, or writes the table as a file if the address asks for one.
func (t *Table[T]) Show(r *page.Request, shown templ.Component) error {
	if isFile(r) {
		return t.writeFile(r)
	}
	return r.Show(shown)
}

// IsEmpty reports whether the page has no rows.
func (t *Table[T]) IsEmpty() bool { return len(t.Items) == 0 }

// order returns the order that the address asks for, or the first one.
func (t *Table[T]) order(r *page.Request, first string) string {
	asked := r.FormValue("sort")
	for _, c := range t.Columns {
		if asked != "" && (asked == c.Up || asked == c.Down) {
			return asked
		}
	}
	return first
}

// next returns the order that the heading of a column leads to, and "ascending", "descending" or "" for what it is now.
func (c Column[T]) next(sort string) (next, now string) {
	switch {
	case sort == "" || sort != c.Up && sort != c.Down:
		if c.Up == "" || c.Class == "num" && c.Down != "" {
			return c.Down, ""
		}
		return c.Up, ""
	case sort == c.Up:
		return c.Down, "ascending"
	default:
		return c.Up, "descending"
	}
}

func isFile(r *page.Request) bool { return r.FormValue("as") == "csv" }

func pageOf(r *page.Request) int64 {
	n, err := strconv.ParseInt(r.FormValue("page"), 10, 32)
	if err != nil || n < 1 {
		return 1
	}
	return n
}

func sizeOf(r *page.Request) int64 {
	n, _ := strconv.ParseInt(r.FormValue("size"), 10, 64)
	if slices.Contains(Sizes, n) {
		return n
	}
	return usualSize
}

// Link returns the address of the page with other parameters, in pairs of name and value. An empty value leaves one out;
// without a page it is the first.
func Link(v *ui.View, pairs ...string) string {
	at, err := url.Parse(v.Path)
	if err != nil {
		return v.Path
	}
	values := at.Query()
	values.Del("page")
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			values.Del(pairs[i])
			continue
		}
		values.Set(pairs[i], pairs[i+1])
	}
	at.RawQuery = values.Encode()
	return at.String()
}
