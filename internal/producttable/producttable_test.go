package producttable_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/producttable"
)

func TestATableIsReadAHundredRowsAtATimeAndWrongOnesAreNamed(t *testing.T) {
	t.Parallel()
	table := "\ufeff" + strings.Join(producttable.Columns, ",") + "\n" +
		"HAT-1,\"Hat, warm\",\"two\nlines\",2900,EUR,Clothes > Hats,warm|冬,Tide & Thread,true\n" +
		"HAT-2,Hat,,29.00,EUR,,,Tide & Thread,true\nHAT-3,Hat,,2900,EUR,,,Tide & Thread,maybe\n" +
		strings.Repeat("X,Hat,,1,EUR,,,S,false\n", 200)
	var sizes []int
	var first []producttable.Row
	var end int64
	err := producttable.Read(strings.NewReader(table), func(offset int64) { end = offset },
		func(rows []producttable.Row) error {
			if sizes = append(sizes, len(rows)); first == nil {
				first = append(first, rows...)
			}
			return nil
		})
	require.NoError(t, err)
	require.Equal(t, []int{100, 100, 3}, sizes)
	require.EqualValues(t, len(table), end)
	require.Equal(t, client.ImportRow{
		SKU: "HAT-1", Name: "Hat, warm", Description: "two\nlines", Price: client.Amount{
			Minor: 2900, Currency: "EUR",
		}, Category: "Clothes > Hats",
		Tags: []string{"warm", "冬"}, Store: "Tide & Thread", Active: true,
	}, first[0].ImportRow)
	require.Equal(t, []producttable.Error{{Column: "price_minor", Why: "is not a whole number"}}, first[1].Errs)
	require.Equal(t, []producttable.Error{{Column: "active", Why: "is neither true nor false"}}, first[2].Errs)
	require.Equal(t, []int{2, 4, 5}, []int{first[0].Line, first[1].Line, first[2].Line})
	require.Error(t, producttable.Read(strings.NewReader("sku,name\n"), func(int64) {}, nil))
}

// good is a line without faults.
const good = "HAT,Hat,,2900,EUR,,,Tide & Thread,true\n"

// read returns the line, and the faults, of each row of a table with these lines.
func read(t *testing.T, lines string) (rows []string) {
	t.Helper()
	head := strings.Join(producttable.Columns, ",") + "\n"
	end, size := int64(0), 0
	require.NoError(t, producttable.Read(strings.NewReader(head+lines), func(offset int64) { end = offset }, func(batch []producttable.Row) error {
		for _, row := range batch {
			text := fmt.Sprint(row.Line)
			for _, e := range row.Errs {
				text += " " + e.Column + ": " + e.Why
			}
			rows = append(rows, text)
		}
		size += len(batch)
		return nil
	}))
	require.EqualValues(t, len(head)+len(lines), end)
	return rows
}

// CAT-40: the rows around a bad one are read, whatever is wrong with it.
func TestBadRowHidesNoOther_CAT_40(t *testing.T) {
	t.Parallel()
	const quote = ": has a stray quote: a cell with quotes stands in quotes, and each of its own is doubled"
	for line, want := range map[string]string{
		"HAT,Hat,,2900,EUR,,,Tide & Thread\n":                  "3 : has 8 cells instead of 9",
		"HAT,Hat,,2900,EUR,,,Tide & Thread,true,more\n":        "3 : has 10 cells instead of 9",
		"HAT,Caf\xe9 cr\xe8me,,2900,EUR,,,Shop,true\n":         "3 name: is not UTF-8",
		"HAT,Caf\ufffd,,2900,EUR,,,Shop,true\n":                "3 name: must not have control characters or invisible ones",
		"HAT,a\u202eb,x\x00y,2900,EUR,,,Shop,true\n":           "3 name: must not have control characters or invisible ones description: must not have control characters or invisible ones",
		"HAT,12\" pipe,,2900,EUR,,,Shop,true\n":                "3 " + quote,
		"HAT,\"12\" pipe\",,2900,EUR,,,Shop,true\n":            "3 " + quote,
		"HAT,\"open,,2900,EUR,,,Shop,true\n":                   "3 " + quote,
		"HAT,\"" + strings.Repeat("x", 200<<10) + "\n":         "3 : is longer than 128 KiB, or has a quote that is not closed",
		"HAT," + strings.Repeat("x", 200<<10) + ",\n":          "3 : is longer than 128 KiB, or has a quote that is not closed",
		"HAT,Hat,,ten,Euro,,,Shop,yes\n":                       "3 price_minor: is not a whole number active: is neither true nor false",
		"HAT,Hat,\"two\nlines, \"\"quoted\"\"\",1,EUR,,,S,1\n": "3",
	} {
		after := 3 + strings.Count(line, "\n")
		for _, tail := range []string{good, strings.Repeat(good, 2) + "LAST,\"Hat\",,1,EUR,,,Shop,true\n"} {
			rows := read(t, good+line+tail)
			require.Equal(t, []string{"2", want, fmt.Sprint(after)}, rows[:3], line[:min(len(line), 60)])
			require.Len(t, rows, 2+strings.Count(tail, "\n"))
		}
	}
	require.Equal(t, []string{"2"}, read(t, good+"\n\r\n"))
	require.Equal(t, []string{"2 " + quote}, read(t, "HAT,\"open"))
}

// CAT-40: cells are brought into the form in which the shop stores text.
func TestCellsAreNormalised_CAT_40(t *testing.T) {
	t.Parallel()
	table := strings.Join(producttable.Columns, ",") + "\n" +
		" ＨＡＴ－１ ,Cafe\u0301 ,\"a\r\nb \",２９００,ＥＵＲ, Clothes,'=1+1|b\\|c,'@shop,TRUE\n"
	require.NoError(t, producttable.Read(strings.NewReader(table), func(int64) {}, func(rows []producttable.Row) error {
		require.Empty(t, rows[0].Errs)
		require.Equal(t, client.ImportRow{
			SKU: "HAT-1", Name: "Caf\u00e9", Description: "a\nb", Price: client.Amount{Minor: 2900, Currency: "EUR"},
			Category: "Clothes", Tags: []string{"=1+1", "b|c"}, Store: "@shop", Active: true,
		}, rows[0].ImportRow)
		return nil
	}))
}

// The rows of one request are within the bounds of a request.
func TestRequestsHaveRoomForTheirRows(t *testing.T) {
	t.Parallel()
	line := "HAT,Hat," + strings.Repeat("<", 20_000) + ",1,EUR,,,S,true\n"
	table := strings.Join(producttable.Columns, ",") + "\n" + strings.Repeat(line, 30)
	read := 0
	require.NoError(t, producttable.Read(strings.NewReader(table), func(int64) {}, func(rows []producttable.Row) error {
		var asked client.ImportProductsRequest
		for _, row := range rows {
			asked.Rows = append(asked.Rows, row.ImportRow)
		}
		body, err := json.Marshal(asked)
		require.Less(t, len(body), 1<<20)
		read += len(rows)
		return err
	}))
	require.Equal(t, 30, read)
}
