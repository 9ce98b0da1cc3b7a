package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheCatalogueIsKeptFromTheTerminal(t *testing.T) {
	p := newProgram(t)
	p.start()
	found := shownAdmin.FindStringSubmatch(p.log.String())
	require.NotNil(t, found, "%s", &p.log)
	admin := p.person(t)
	admin.must(found[1], "login", "admin@popup.example")
	shows := func(args ...string) string {
		t.Helper()
		out, err := admin.popup(append([]string{"product"}, append(args, "--json")...)...)
		require.NoError(t, err, out)
		return out
	}
	refused := func(want string, args ...string) {
		t.Helper()
		out, err := admin.popup(append([]string{"product"}, args...)...)
		require.Error(t, err, out)
		require.Contains(t, out, want)
	}
	hat := []string{"add", "HAT-1", "Knit hat", "--price-minor=2900", "--store=tide & thread", "--category=To wear > Hats and bags", "--tag=warm, very", "--no-active"}
	made := shows(hat...)
	require.Contains(t, made, `"sku": "HAT-1", "price": { "amount_minor": 2900, "currency": "EUR" }`)
	require.Contains(t, made, `"tags": [ "warm, very" ]`)
	require.Contains(t, made, `"active": false`)
	refused("The SKU is used by another product or variant", hat...)
	refused("name must not be blank", "add", "HAT-2", " ", "--price-minor=2900", "--store=Tide & Thread")
	refused("price.amount_minor must not be below 0", "add", "HAT-2", "Hat", "--price-minor=-1", "--store=Tide & Thread")
	refused("price.currency is not a currency", "add", "HAT-2", "Hat", "--price-minor=1", "--currency=EUX",
		"--store=Tide & Thread")
	refused(`store "Nowhere" does not exist`, "add", "HAT-2", "Hat", "--price-minor=1", "--store=Nowhere")
	refused(`category "Hats" does not exist`, "add", "HAT-2", "Hat", "--price-minor=1", "--store=Tide & Thread",
		"--category=Hats")

	changed := shows("edit", "HAT-1", "--price=31.00", "--active")
	require.Contains(t, changed, `"name": "Knit hat"`)
	require.Contains(t, changed, `"amount_minor": 3100`)
	require.Contains(t, changed, `"tags": [ "warm, very" ]`)
	require.Contains(t, changed, `"active": true`)
	require.Contains(t, shows("edit", "HAT-1", "--name=Warm hat", "--category="), `"name": "Warm hat"`)
	refused("name must not be blank", "edit", "HAT-1", "--name= ")

	table := filepath.Join(t.TempDir(), "table.csv")
	rows := "sku,name,description,price_minor,currency,category,tags,store,active\n"
	for n := range 250 {
		// the first one costs less than nothing
		rows += fmt.Sprintf("ROW-%03d,Row,,%d,EUR,To wear > Shirts,a|b,Tide & Thread,%t\n", n, n-1, n%2 == 0)
	}
	require.NoError(t, os.WriteFile(table, []byte(rows), 0o600))
	report := shows("import", table)
	require.Contains(t, report, `"line": 2`)
	require.Contains(t, report, `"column": "price_minor"`)
	require.Contains(t, report, `must not be below 0, and at most a trillion`)
	require.Equal(t, 249, strings.Count(report, `"result": "created"`))
	seen, all := filepath.Join(t.TempDir(), "seen.csv"), filepath.Join(t.TempDir(), "all.csv")
	shows("export", seen)
	shows("export", "--all", all)
	require.Equal(t, []int{10 + 1 + 124, 10 + 1 + 249}, []int{lines(t, seen), lines(t, all)},
		"of the demo shop, the hat, the rows")
	require.Equal(t, 260, strings.Count(shows("import", all), `"result": "unchanged"`))
}

// lines are the rows of a table that are not its head.
func lines(t *testing.T, table string) int {
	t.Helper()
	text, err := os.ReadFile(table)
	require.NoError(t, err)
	return strings.Count(string(text), "\n") - 1
}
