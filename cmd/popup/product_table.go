package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/popup-shop/popup/client"
)

// tableColumns are those of a table of products, in their order.
var tableColumns = []string{"sku", "name", "description", "price_minor", "currency", "category", "tags", "store", "active"}

const rowsPerCall = 100

// progress shows on stderr how far something of so many parts is.
func progress(total int64) *mpb.Bar {
	return mpb.New(mpb.WithOutput(os.Stderr)).AddBar(total, mpb.PrependDecorators(decor.CountersNoUnit("%d / %d ")), mpb.AppendDecorators(decor.Percentage()))
}

type productImportCommand struct {
	shopAddress
	File string `arg:"" help:"CSV file to read." type:"existingfile"`
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
	_ = report.Write([]string{"line", "sku", "result", "why"}) // Error returns the error
	shop := c.user()
	err = readTable(file, bar.SetCurrent, func(rows []tableRow) error { return send(ctx, shop, rows, report) })
	report.Flush()
	return errors.Join(err, report.Error())
}

// tableRow is a row of a table, and why it is none.
type tableRow struct {
	client.ImportRow
	line int
	why  string
}

// readTable hands on rows as they are read, so many at a time.
func readTable(from io.Reader, at func(offset int64), put func([]tableRow) error) error {
	table := csv.NewReader(from)
	table.ReuseRecord = true
	head, err := table.Read()
	if err != nil {
		return fmt.Errorf("read head of table: %w", err)
	}
	if head[0] = strings.TrimPrefix(head[0], "\ufeff"); !slices.Equal(head, tableColumns) {
		return fmt.Errorf("the columns of the table must be %s", strings.Join(tableColumns, ","))
	}
	rows := make([]tableRow, 0, rowsPerCall)
	for {
		cells, err := table.Read()
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return fmt.Errorf("read table: %w", err)
		}
		if !last {
			line, _ := table.FieldPos(0)
			rows = append(rows, rowOf(cells, line))
		}
		if len(rows) == rowsPerCall || last && len(rows) > 0 {
			if err := put(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
		if at(table.InputOffset()); last {
			return nil
		}
	}
}

func rowOf(cells []string, line int) (row tableRow) {
	minor, err := strconv.ParseInt(cells[3], 10, 64)
	if row.line = line; err != nil {
		row.why = "price_minor is no whole number"
	}
	row.SKU, row.Name, row.Description, row.Category, row.Store = cells[0], cells[1], cells[2], cells[5], cells[7]
	row.Price = client.Amount{Minor: minor, Currency: cells[4]}
	if cells[6] != "" {
		row.Tags = strings.Split(cells[6], "|")
	}
	if row.Active, err = strconv.ParseBool(cells[8]); err != nil {
		row.why = "active is neither true nor false"
	}
	return row
}

// send sends rows and reports what has become of them.
func send(ctx context.Context, shop *client.Client, rows []tableRow, report *csv.Writer) error {
	var good []tableRow
	var asked client.ImportProductsRequest
	for _, row := range rows {
		if row.why != "" {
			_ = report.Write([]string{strconv.Itoa(row.line), row.SKU, "error", row.why})
			continue
		}
		good, asked.Rows = append(good, row), append(asked.Rows, row.ImportRow)
	}
	if len(good) == 0 {
		return nil
	}
	done, err := insist(ctx, func() (client.ImportProductsAnswer, error) { return shop.ImportProducts(ctx, asked) })
	if err != nil {
		return fmt.Errorf("import lines %d to %d: %w", good[0].line, good[len(good)-1].line, err)
	}
	for i, result := range done.Results {
		_ = report.Write([]string{strconv.Itoa(good[i].line), result.SKU, result.Result, result.Why})
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
