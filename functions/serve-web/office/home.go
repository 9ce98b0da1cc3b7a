package office

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
)

// todo is something that waits for staff.
type todo struct {
	Path, Key string
	Count     int64
}

// desk is what the first page of the office shows.
type desk struct {
	periods []period
	days    []client.DayFigures // the last 30, one for each day
	todos   []todo
	newest  []client.Order
}

// period is the figures of some days beside those of as many days before.
type period struct {
	Key     string
	Orders  int64 // that were placed
	Kept    int64 // of these, those that were confirmed and not cancelled
	Before  int64 // that were kept in as many days before
	Revenue []client.Amount
	Average []client.Amount
}

func home(r *page.Request) error {
	var d desk
	today := time.Now().UTC().Truncate(24 * time.Hour)
	calls, ctx := errgroup.WithContext(r.Context())
	var figures client.GetDailyFiguresAnswer
	calls.Go(func() (err error) {
		figures, err = r.API.GetDailyFigures(ctx, client.GetDailyFiguresQuery{From: today.AddDate(0, 0, -59)})
		return err
	})
	d.todos = []todo{
		{Path: "/office/orders?status=confirmed", Key: "todo.pack"},
		{Path: "/office/orders?status=pending", Key: "todo.unpaid"},
		{Path: "/office/orders?status=cancelling", Key: "todo.cancelling"},
		{Path: "/office/orders?status=failed_delivery", Key: "todo.failed"},
	}
	for i := range d.todos {
		_, status, _ := strings.Cut(d.todos[i].Path, "=")
		calls.Go(func() error {
			found, err := r.API.ListOrders(ctx, client.ListOrdersQuery{Paging: client.Paging{Limit: 1}, Status: status})
			d.todos[i].Count = found.Total
			return err
		})
	}
	calls.Go(func() error {
		newest, err := r.API.ListOrders(ctx, client.ListOrdersQuery{Paging: client.Paging{Limit: 8}})
		d.newest = newest.Items
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	days := everyDay(figures.Items, today, 60)
	d.days = days[30:]
	d.periods = []period{compare("period.today", days, 1), compare("period.week", days, 7), compare("period.month", days, 30)}
	return r.Show(homePage(r.View, d))
}

// everyDay returns the figures of so many days up to today, also of those without orders.
func everyDay(known []client.DayFigures, today time.Time, n int) []client.DayFigures {
	days := make([]client.DayFigures, n)
	for i := range days {
		name := today.AddDate(0, 0, i-n+1).Format(time.DateOnly)
		days[i] = client.DayFigures{Day: name}
		if at := slices.IndexFunc(known, func(d client.DayFigures) bool { return d.Day == name }); at >= 0 {
			days[i] = known[at]
		}
	}
	return days
}

// compare returns the figures of the last n days and of the n days before.
func compare(key string, days []client.DayFigures, n int) period {
	p := sumOf(days[len(days)-n:])
	p.Key = key
	for _, d := range days[len(days)-2*n : len(days)-n] {
		p.Before += d.Kept
	}
	return p
}

// sumOf returns the figures of days together.
func sumOf(days []client.DayFigures) (p period) {
	kept := map[string]int64{}
	for _, d := range days {
		p.Orders += d.Orders
		p.Kept += d.Kept
		for _, revenue := range d.Revenue {
			kept[revenue.Currency] += revenue.Minor
		}
	}
	for currency, minor := range kept {
		p.Revenue = append(p.Revenue, client.Amount{Minor: minor, Currency: currency})
	}
	slices.SortFunc(p.Revenue, func(a, b client.Amount) int { return cmp.Compare(a.Currency, b.Currency) })
	if len(p.Revenue) == 1 && p.Kept > 0 {
		p.Average = []client.Amount{{Minor: p.Revenue[0].Minor / p.Kept, Currency: p.Revenue[0].Currency}}
	}
	return p
}

// bars returns the heights of the orders of days, in percent of the highest.
func bars(days []client.DayFigures) []int64 {
	most := int64(1)
	for _, d := range days {
		most = max(most, d.Kept)
	}
	heights := make([]int64, len(days))
	for i, d := range days {
		heights[i] = d.Kept * 100 / most
	}
	return heights
}

// maxSKU is how many characters a SKU may have.
const maxSKU = 64

// find opens what staff typed: a product by its SKU, an order that is the only one with these words, or else a list.
func find(r *page.Request) error {
	q := strings.TrimSpace(r.FormValue("q"))
	if q == "" {
		return r.SeeOther("/office")
	}
	first := client.Paging{Limit: 1}
	if utf8.RuneCountInString(q) <= maxSKU {
		levels, err := r.API.ListStock(r.Context(), client.ListStockQuery{SKU: q, Paging: first})
		if err != nil {
			return err
		}
		if len(levels.Items) > 0 && levels.Items[0].ProductID != "" {
			return r.SeeOther("/office/products/" + levels.Items[0].ProductID)
		}
	}
	found, err := r.API.ListOrders(r.Context(), client.ListOrdersQuery{Q: q, Paging: first})
	switch {
	case err != nil:
		return err
	case found.Total == 1:
		return r.SeeOther("/office/orders/" + found.Items[0].ID)
	case found.Total > 1:
		return r.SeeOther("/office/orders?" + query("q", q))
	}
	return r.SeeOther("/office/products?" + query("q", q))
}
