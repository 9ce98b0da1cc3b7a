package printer_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/printer"
)

type good struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

var columns = []printer.Column[good]{
	{Name: "name", Cell: func(g good) any { return g.Name }},
	{Name: "count", Cell: func(g good) any { return g.Count }},
}

func list(t *testing.T, format printer.Format, goods ...good) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, printer.List(printer.To(&out, format), goods, columns...))
	return out.String()
}

// TRM-31: columns stand below each other on the screen, whatever the script.
func TestTablesAreAlignedByDisplayWidth_TRM_31(t *testing.T) {
	t.Parallel()
	out := list(t, printer.Format{}, good{"Mug", 1}, good{"藍染めの手ぬぐい", 22}, good{"Ｗｉｄｅ", 3}, good{"e\u0301te\u0301", 4})
	var ends []int
	for line := range strings.Lines(strings.TrimSuffix(out, "\n")) {
		fields := strings.Fields(line)
		last := fields[len(fields)-1]
		ends = append(ends, runewidth.StringWidth(line[:strings.LastIndex(line, last)]))
	}
	require.Equal(t, []int{18, 18, 18, 18, 18}, ends, out)
	require.NotContains(t, out, "\x1b", "no colours in a pipe")
}

// TRM-31, D9.
func TestNoDataControlTheTerminal_TRM_31(t *testing.T) {
	t.Parallel()
	evil := "a\u009b31mb\u202ec\x1b]0;title\x07d\u2066e\u2028f\xffg\u061ch\U000e0041i\nj\tk\rl\x7fm\ufeffn"
	for name, out := range map[string]string{
		"table": list(t, printer.Format{}, good{evil, 1}),
		"json":  list(t, printer.Format{JSON: true}, good{evil, 1}),
		"text":  visible(t, func(p *printer.Printer) error { return p.Done(nil, "%s is done", evil) }),
		"field": visible(t, func(p *printer.Printer) error { return p.Object(nil, printer.Field{Name: "name", Value: evil}) }),
		"line":  visible(t, func(p *printer.Printer) error { return p.Line(nil, evil) }),
	} {
		for _, r := range strings.ReplaceAll(out, "\n", "") {
			require.False(t, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp), "%s: %U in %q", name, r, out)
		}
		require.Contains(t, out, `\u009b`, name)
		require.Contains(t, out, `\u202e`, name)
	}
	require.Equal(t, 2, strings.Count(list(t, printer.Format{}, good{evil, 1}), "\n"), "a name is one line")
	var back []good
	require.NoError(t, json.Unmarshal([]byte(list(t, printer.Format{JSON: true}, good{evil, 1})), &back))
	require.Equal(t, strings.ToValidUTF8(evil, "\ufffd"), back[0].Name, "JSON keeps what there is")
	require.Equal(t, "👩\u200d🚀 ﻻ", printer.Visible("👩\u200d🚀 ﻻ"))
}

func visible(t *testing.T, print func(*printer.Printer) error) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, print(printer.To(&out, printer.Format{})))
	return out.String()
}

func TestJSONIsAListEvenWithoutItems(t *testing.T) {
	t.Parallel()
	require.Equal(t, "[]\n", list(t, printer.Format{JSON: true}))
	require.Equal(t, "NAME  COUNT\n", list(t, printer.Format{}))
}

func TestCSVIsNoFormula(t *testing.T) {
	t.Parallel()
	out := list(t, printer.Format{CSV: true}, good{`=HYPERLINK("x")`, -5}, good{"a,b\nc", 1}, good{"+49 40", 2}, good{"-1+cmd", 3})
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, [][]string{
		{"name", "count"},
		{`'=HYPERLINK("x")`, "-5"},
		{"a,b\nc", "1"},
		{"+49 40", "2"},
		{"'-1+cmd", "3"},
	}, rows)
	p := printer.To(&bytes.Buffer{}, printer.Format{CSV: true})
	require.ErrorIs(t, p.Object(good{}), printer.ErrNoCSV)
	require.ErrorIs(t, p.Done(good{}, "done"), printer.ErrNoCSV)
}

func TestTimesAreLocalInTablesAndUTCInCSV(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.FixedZone("", 3600))
	show := func(format printer.Format) string {
		var out bytes.Buffer
		column := printer.Column[time.Time]{Name: "at", Cell: func(t time.Time) any { return t }}
		require.NoError(t, printer.List(printer.To(&out, format), []time.Time{at}, column))
		return out.String()
	}
	require.Equal(t, "at\n2026-01-31T11:00:00Z\n", show(printer.Format{CSV: true}))
	require.Contains(t, show(printer.Format{}), at.Local().Format(time.DateTime))
}
