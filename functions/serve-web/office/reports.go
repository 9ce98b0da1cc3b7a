package office

import (
	"slices"
	"strconv"
	"time"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/money"
)

// reportDays are how many days a report may cover.
var reportDays = []int{7, 30, 90, 365}

// report is the figures of some days.
type report struct {
	table.Table[client.DayFigures]
	length int
	all    []client.DayFigures // one for each day, also of those without orders
	sum    period
	asOf   time.Time
}

func reportTabs(v *ui.View) (tabs []tab) {
	for _, n := range reportDays {
		tabs = append(tabs, tab{"/office/reports?days=" + strconv.Itoa(n), v.T("reports.days", n)})
	}
	return tabs
}

// reports shows orders, pieces and revenue of each day.
func reports(r *page.Request) error {
	d := report{length: 30}
	if n, err := strconv.Atoi(r.FormValue("days")); err == nil && slices.Contains(reportDays, n) {
		d.length = n
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	figures, err := r.API.GetDailyFigures(r.Context(), client.GetDailyFiguresQuery{From: today.AddDate(0, 0, 1-d.length)})
	if err != nil {
		return err
	}
	d.all, d.asOf = everyDay(figures.Items, today, d.length), figures.AsOf
	d.sum = sumOf(d.all)
	d.Key, d.Columns = "office.reports", reportColumns(r.View, d.sum.Revenue)
	d.Hold(r, "-day", d.all)
	return d.Show(r, reportsPage(r.View, d))
}

// reportColumns has a column of revenue for each currency.
func reportColumns(v *ui.View, revenue []client.Amount) []table.Column[client.DayFigures] {
	columns := []table.Column[client.DayFigures]{
		table.Column[client.DayFigures]{Key: "figures.day", Head: true, Text: func(d client.DayFigures) string { return d.Day }}.ByText("day"),
		count("figures.placed", "orders", func(d client.DayFigures) int64 { return d.Orders }),
		count("figures.kept", "kept", func(d client.DayFigures) int64 { return d.Kept }),
		count("figures.items", "items", func(d client.DayFigures) int64 { return d.Items }),
	}
	for _, total := range revenue {
		of := func(d client.DayFigures) int64 { return revenueIn(d, total.Currency) }
		c := count("figures.revenue", "revenue."+total.Currency, of)
		c.Label = v.T("figures.revenue") + " (" + total.Currency + ")"
		c.Text = func(d client.DayFigures) string {
			return money.Amount{Minor: of(d), Currency: total.Currency}.Decimal()
		}
		columns = append(columns, c)
	}
	return columns
}

func revenueIn(d client.DayFigures, currency string) (minor int64) {
	for _, a := range d.Revenue {
		if a.Currency == currency {
			minor += a.Minor
		}
	}
	return minor
}
