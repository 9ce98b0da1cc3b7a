package office

import (
	"io"
	"net/http"
	"strings"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/producttable"
)

// importReport is what became of the rows of a table, or what would.
type importReport struct {
	table    string // as it was uploaded
	counts   map[string]int
	wrong    []importError
	stored   bool
	rowCount int
}

// importError is what is wrong with a row, by its line in the file.
type importError struct {
	line        int
	column, why string
}

// shownErrors is how many wrong rows are shown.
const shownErrors = 20

// importProducts checks a table of products, and imports it in a second step. Wrong rows stop no others.
func importProducts(r *page.Request) error {
	f, err := r.Upload()
	if err != nil {
		return err
	}
	table := f.Raw("table")
	if file, _, err := r.FormFile("file"); err == nil {
		defer file.Close()
		content, err := io.ReadAll(file)
		if err != nil {
			return err
		}
		table = string(content)
	}
	if table == "" {
		if r.Method == http.MethodPost {
			r.Status(http.StatusUnprocessableEntity)
			f.Add("file", r.View.T("product.no-file"))
		}
		return r.Show(importPage(r.View, f, nil))
	}
	report := &importReport{table: table, counts: map[string]int{}, stored: f.Value("run") != ""}
	var failed error // of the API, and not of the table
	err = producttable.Read(strings.NewReader(table), func(int64) {}, func(rows []producttable.Row) error {
		failed = report.put(r, rows)
		return failed
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		r.Status(http.StatusUnprocessableEntity)
		f.Add("file", r.View.T("import.unreadable", strings.Join(producttable.Columns, ",")))
		return r.Show(importPage(r.View, f, nil))
	}
	return r.Show(importPage(r.View, ui.NewForm(), report))
}

// put checks or imports the rows of one request.
func (i *importReport) put(r *page.Request, rows []producttable.Row) error {
	i.rowCount += len(rows)
	request := client.ImportProductsRequest{DryRun: !i.stored}
	var lines []int
	for _, row := range rows {
		if len(row.Errs) > 0 {
			i.counts["error"]++
			i.add(row.Line, row.Errs[0].Column, row.Errs[0].Why)
			continue
		}
		request.Rows = append(request.Rows, row.ImportRow)
		lines = append(lines, row.Line)
	}
	if len(request.Rows) == 0 {
		return nil
	}
	answer, err := r.API.ImportProducts(r.Context(), request)
	if err != nil {
		return err
	}
	for n, result := range answer.Results {
		i.counts[result.Result]++
		for _, wrong := range result.Errors {
			i.add(lines[n], wrong.Column, wrong.Why)
		}
	}
	return nil
}

func (i *importReport) add(line int, column, why string) {
	if len(i.wrong) < shownErrors {
		i.wrong = append(i.wrong, importError{line, column, why})
	}
}

// lastPart returns what follows the last slash of an address.
func lastPart(address string) string { return address[strings.LastIndex(address, "/")+1:] }
