package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/producttable"
)

// progress shows on stderr how far something of so many parts is.
func progress(total int64) *mpb.Bar {
	return mpb.New(mpb.WithOutput(os.Stderr)).AddBar(total, mpb.PrependDecorators(decor.CountersNoUnit("%d / %d ")),
		mpb.AppendDecorators(decor.Percentage()))
}

type productImportCommand struct {
	shopAddress
	DryRun bool   `help:"Report what would become of each row, and store nothing."`
	File   string `arg:"" help:"CSV file to read." type:"existingfile"`
}

// Run sends the table a hundred rows at a time, and holds no more of it. What has become of each row is a line of CSV.
func (c *productImportCommand) Run(ctx context.Context) (err error) {
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
	report := csv.NewWriter(os.Stdout)
	_ = report.Write([]string{"line", "sku", "result", "column", "why"}) // Error returns the error
	shop := c.user()
	err = producttable.Read(file, bar.SetCurrent,
		func(rows []producttable.Row) error { return c.send(ctx, shop, rows, report) })
	report.Flush()
	return errors.Join(err, report.Error())
}

// send sends rows and reports what has become of them.
func (c *productImportCommand) send(ctx context.Context, shop *client.Client, rows []producttable.Row, report *csv.Writer) error {
	var good []producttable.Row
	asked := client.ImportProductsRequest{DryRun: c.DryRun}
	for _, row := range rows {
		if len(row.Errs) > 0 {
			for _, e := range row.Errs {
				_ = report.Write([]string{strconv.Itoa(row.Line), row.SKU, "error", e.Column, e.Why})
			}
			continue
		}
		good, asked.Rows = append(good, row), append(asked.Rows, row.ImportRow)
	}
	if len(good) == 0 {
		return nil
	}
	done, err := insist(ctx, func() (client.ImportProductsAnswer, error) { return shop.ImportProducts(ctx, asked) })
	if err != nil {
		return fmt.Errorf("import lines %d to %d: %w", good[0].Line, good[len(good)-1].Line, err)
	}
	for i, result := range done.Results {
		for _, e := range result.Errors {
			_ = report.Write([]string{strconv.Itoa(good[i].Line), result.SKU, result.Result, e.Column, e.Why})
		}
		if len(result.Errors) == 0 {
			_ = report.Write([]string{strconv.Itoa(good[i].Line), result.SKU, result.Result, "", ""})
		}
	}
	report.Flush()
	return report.Error()
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
