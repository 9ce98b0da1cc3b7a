package office

import (
	"cmp"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// text is a column of texts.
func text[T any](key string, of func(T) string) table.Column[T] {
	return table.Column[T]{Key: key, Text: of}
}

// linked is the column that names its rows. A row leads to a page, unless its address is empty.
func linked[T any](key string, of, to func(T) string) table.Column[T] {
	return table.Column[T]{Key: key, Head: true, Text: of, Cell: func(row T) templ.Component { return link(to(row), of(row)) }}
}

// number is a column of numbers.
func number[T any](key string, of func(T) int64) table.Column[T] {
	return table.Column[T]{Key: key, Class: "num", Text: func(row T) string { return strconv.FormatInt(of(row), 10) }}
}

// moment is a column of times.
func moment[T any](v *ui.View, key string, of func(T) time.Time) table.Column[T] {
	return table.Column[T]{
		Key: key, Text: func(row T) string { return of(row).UTC().Format(time.DateTime) },
		Cell: func(row T) templ.Component { return ui.Time(v, of(row)) },
	}
}

// amount is two columns: amounts of money, and in files their currencies.
func amount[T any](v *ui.View, key string, of func(T) client.Amount) (money, currency table.Column[T]) {
	money = table.Column[T]{
		Key: key, Class: "num", Text: func(row T) string { return plain(of(row)) },
		Cell: func(row T) templ.Component { return plainText(v.Money(of(row))) },
	}
	return money, table.Column[T]{Key: "product.currency", FileOnly: true, Text: func(row T) string { return of(row).Currency }}
}

// shown gives a column cells of its own.
func shown[T any](c table.Column[T], cell func(T) templ.Component) table.Column[T] {
	c.Cell = cell
	return c
}

// unseen is a column of buttons, whose heading is read out.
func unseen[T any](key string, cell func(T) templ.Component) table.Column[T] {
	return table.Column[T]{Key: key, Unseen: true, Cell: cell}
}

// count is a column of numbers that sorts a list that is held as a whole.
func count[T any](key, name string, of func(T) int64) table.Column[T] {
	return number(key, of).By(name, func(a, b T) int { return cmp.Compare(of(a), of(b)) })
}
