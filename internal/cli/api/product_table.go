package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
	File string `arg:"" help:"CSV file to read." type:"existingfile"`
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
		done, err := send(ctx, shop, rows)
		report = append(report, done...)
		return err
	})
	return errors.Join(err, printer.List(
		out, report,
		printer.Column[imported]{Name: "line", Cell: func(i imported) any { return i.Line }},
		printer.Column[imported]{Name: "sku", Cell: func(i imported) any { return i.SKU }},
		printer.Column[imported]{Name: "result", Cell: func(i imported) any { return i.Result }},
		printer.Column[imported]{Name: "why", Cell: func(i imported) any { return i.Why }},
	))
}

// send sends rows and returns what has become of them.
func send(ctx context.Context, shop *client.Client, rows []producttable.Row) (report []imported, err error) {
	var good []producttable.Row
	var asked client.ImportProductsRequest
	for _, row := range rows {
		if row.Why != "" {
			report = append(report, imported{row.Line, client.ImportResult{SKU: row.SKU, Result: "error", Why: row.Why}})
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
