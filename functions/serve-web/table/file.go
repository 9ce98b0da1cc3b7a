package table

import (
	"bytes"
	"encoding/csv"
	"path"

	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/internal/tablecell"
)

// byteOrderMark has spreadsheets read a file as UTF-8.
const byteOrderMark = "\ufeff"

// writeFile writes the rows as a CSV file that a spreadsheet opens and does not calculate.
func (t *Table[T]) writeFile(r *page.Request) error {
	var file bytes.Buffer
	file.WriteString(byteOrderMark)
	w := csv.NewWriter(&file)
	columns := t.inFile()
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.heading(r.View)
	}
	_ = w.Write(row) // w.Error returns the error
	for _, item := range t.Items {
		for i, c := range columns {
			row[i] = tablecell.Harmless(c.Text(item))
		}
		_ = w.Write(row)
	}
	if int64(len(t.Items)) < t.Total {
		_ = w.Write([]string{r.View.T("table.cut", len(t.Items), t.Total)})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	r.SetHeader("Content-Disposition", `attachment; filename="`+path.Base(r.URL.Path)+`.csv"`)
	return r.Write("text/csv; charset=utf-8", file.Bytes())
}

func (t *Table[T]) inFile() (columns []Column[T]) {
	for _, c := range t.Columns {
		if c.Text != nil {
			columns = append(columns, c)
		}
	}
	return columns
}
