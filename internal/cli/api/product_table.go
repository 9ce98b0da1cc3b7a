package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/printer"
	"github.com/popup-shop/popup/internal/producttable"
)

// progress shows on stderr how far something of so many parts is, if that is a terminal.
func progress(total int64) *mpb.Bar {
	var screen io.Writer
	if term.IsTerminal(int(os.Stderr.Fd())) {
		screen = os.Stderr
	}
	return mpb.New(mpb.WithOutput(screen)).AddBar(total, mpb.PrependDecorators(decor.CountersNoUnit("%d / %d ")),
		mpb.AppendDecorators(decor.Percentage()))
}

type productImportCommand struct {
	shopAddress
	DryRun bool   `help:"Report what would become of each row, and store nothing."`
	File   string `arg:"" help:"CSV file to read." type:"existingfile"`
}

// imported is what has become of a row.
type imported struct {
	Line int `json:"line"`
	client.ImportResult
}

// Run sends the table a hundred rows at a time, and prints what has become of each row.
func (c *productImportCommand) Run(ctx context.Context, out *printer.Printer) (err error) {
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("read table: %w", err)
	}
	defer file.Close()
	size, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read table: %w", err)
	}
	bar := progress(size.Size())
	shop := c.user()
	var report []imported
	err = producttable.Read(file, bar.SetCurrent, func(rows []producttable.Row) error {
		done, err := c.send(ctx, shop, rows)
		report = append(report, done...)
		return err
	})
	return errors.Join(err, printer.List(
		out, report,
		printer.Column[imported]{Name: "line", Cell: func(i imported) any { return i.Line }},
		printer.Column[imported]{Name: "sku", Cell: func(i imported) any { return i.SKU }},
		printer.Column[imported]{Name: "result", Cell: func(i imported) any { return i.Result }},
		printer.Column[imported]{Name: "column", Cell: func(i imported) any {
			return i.join(func(e client.ImportError) string { return e.Column })
		}},
		printer.Column[imported]{Name: "why", Cell: func(i imported) any {
			return i.join(func(e client.ImportError) string { return e.Why })
		}},
	))
}

// join returns a part of each error of a row.
func (i imported) join(part func(client.ImportError) string) string {
	texts := make([]string, len(i.Errors))
	for n, e := range i.Errors {
		texts[n] = part(e)
	}
	return strings.Join(texts, "; ")
}

// send sends rows and returns what has become of them.
func (c *productImportCommand) send(ctx context.Context, shop *client.Client, rows []producttable.Row) (report []imported, err error) {
	var good []producttable.Row
	asked := client.ImportProductsRequest{DryRun: c.DryRun}
	for _, row := range rows {
		if len(row.Errs) > 0 {
			report = append(report, imported{row.Line, client.ImportResult{SKU: row.SKU, Result: "error", Errors: errorsOf(row)}})
			continue
		}
		good = append(good, row)
		asked.Rows = append(asked.Rows, row.ImportRow)
	}
	if len(good) == 0 {
		return report, nil
	}
	done, err := insist(ctx, func() (client.ImportProductsAnswer, error) { return shop.ImportProducts(ctx, asked) })
	if err != nil {
		return report, fmt.Errorf("import lines %d to %d: %w", good[0].Line, good[len(good)-1].Line, err)
	}
	for i, result := range done.Results {
		report = append(report, imported{good[i].Line, result})
	}
	return report, nil
}

func errorsOf(row producttable.Row) (all []client.ImportError) {
	for _, e := range row.Errs {
		all = append(all, client.ImportError(e))
	}
	return all
}

// insist calls until the shop has time for it. A second time does no harm: rows are matched by SKU.
func insist[T any](ctx context.Context, call func() (T, error)) (T, error) {
	for {
		done, err := call()
		var p *client.Problem
		if !errors.As(err, &p) || p.RetryAfter == 0 {
			return done, err
		}
		select {
		case <-ctx.Done():
			return done, ctx.Err()
		case <-time.After(p.RetryAfter):
		}
	}
}
