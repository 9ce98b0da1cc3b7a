package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/popup-shop/popup/internal/tablecell"
)

func marshalCSV(w io.Writer, v any) error {
	list, ok := v.(interface{ writeCSV(*csv.Writer) error })
	if !ok {
		return fmt.Errorf("%T is not a list", v)
	}
	return list.writeCSV(csv.NewWriter(w))
}

// writeCSV writes a header and a row for each item. A value that is an object has a column for each of its fields, such as
// total.amount_minor; a list has one column.
func (p *Page[T]) writeCSV(w *csv.Writer) error {
	columns := csvColumns("", nil, reflect.TypeFor[T]())
	row := make([]string, len(columns))
	for i, column := range columns {
		row[i] = column.name
	}
	_ = w.Write(row) // w.Error returns the error
	for _, item := range p.Items {
		for i, column := range columns {
			row[i] = column.cell(reflect.ValueOf(item))
		}
		_ = w.Write(row)
	}
	w.Flush()
	return w.Error()
}

// csvColumn is a field of the items of a list, or a field of such a field.
type csvColumn struct {
	name string
	path [][]int // from the item to the field
}

// csvColumns returns the columns of a struct by the JSON names of its fields.
func csvColumns(prefix string, path [][]int, t reflect.Type) (columns []csvColumn) {
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "" || name == "-" {
			continue
		}
		at := append(slices.Clone(path), f.Index)
		if inner, ok := csvObject(f.Type); ok {
			columns = append(columns, csvColumns(prefix+name+".", at, inner)...)
			continue
		}
		columns = append(columns, csvColumn{prefix + name, at})
	}
	return columns
}

// csvObject returns the struct that values of a type are in JSON; ok is false for any other type.
func csvObject(t reflect.Type) (object reflect.Type, ok bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	_, isText := reflect.New(t).Interface().(json.Marshaler) // such as a time
	return t, t.Kind() == reflect.Struct && !isText
}

// cell returns the value of the column in an item; it is empty in an object that is absent.
func (c csvColumn) cell(v reflect.Value) string {
	for _, index := range c.path {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return ""
			}
			v = v.Elem()
		}
		v = v.FieldByIndex(index)
	}
	if v.Kind() == reflect.Slice && v.Type().Elem().Implements(reflect.TypeFor[fmt.Stringer]()) {
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = v.Index(i).Interface().(fmt.Stringer).String()
		}
		return csvCell(strings.Join(texts, "; "))
	}
	return csvCell(v.Interface())
}

// csvCell returns a value as text. A formula begins with an apostrophe, which makes it text for a spreadsheet.
func csvCell(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil || string(encoded) == "null" {
		return ""
	}
	text := string(encoded)
	_ = json.Unmarshal(encoded, &text) // what is not a string stays as JSON
	return tablecell.Harmless(text)
}
