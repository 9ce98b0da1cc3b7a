package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
)

func marshalCSV(w io.Writer, v any) error {
	list, ok := v.(interface{ writeCSV(*csv.Writer) error })
	if !ok {
		return fmt.Errorf("%T is not a list", v)
	}
	return list.writeCSV(csv.NewWriter(w))
}

// writeCSV writes a header and a row for each item. Values that are objects or lists are written as JSON.
func (p *Page[T]) writeCSV(w *csv.Writer) error {
	names, columns := csvColumns(reflect.TypeFor[T]())
	_ = w.Write(names) // w.Error returns the error
	for _, item := range p.Items {
		row := make([]string, len(columns))
		for i, index := range columns {
			row[i] = csvCell(reflect.ValueOf(item).FieldByIndex(index).Interface())
		}
		_ = w.Write(row)
	}
	w.Flush()
	return w.Error()
}

// csvColumns returns the JSON names of the fields of a struct, and where they are.
func csvColumns(t reflect.Type) (names []string, columns [][]int) {
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && !f.Anonymous && name != "" && name != "-" {
			names, columns = append(names, name), append(columns, f.Index)
		}
	}
	return names, columns
}

// formula matches texts that a spreadsheet would calculate.
var formula = regexp.MustCompile(`^([=@\t\r]|[+-].*[^0-9 ().,/-])`)

// csvCell returns a value as text. A formula begins with an apostrophe, which makes it text for a spreadsheet.
func csvCell(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil || string(encoded) == "null" {
		return ""
	}
	text := string(encoded)
	_ = json.Unmarshal(encoded, &text) // what is not a string stays as JSON
	if formula.MatchString(text) {
		return "'" + text
	}
	return text
}
