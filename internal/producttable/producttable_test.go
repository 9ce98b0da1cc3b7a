package producttable_test

import (
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
	require.Equal(t, producttable.Row{Line: 2, ImportRow: client.ImportRow{
		SKU: "HAT-1", Name: "Hat, warm", Description: "two\nlines", Price: client.Amount{
			Minor: 2900, Currency: "EUR",
		}, Category: "Clothes > Hats",
		Tags: []string{"warm", "冬"}, Store: "Tide & Thread", Active: true,
	}}, first[0])
	require.Equal(t, []string{"price_minor is no whole number", "active is neither true nor false"},
		[]string{first[1].Why, first[2].Why})
	require.Equal(t, 4, first[1].Line)
	require.Error(t, producttable.Read(strings.NewReader("sku,name\n"), func(int64) {}, nil))
}
