package office

import (
	"context"
	"crypto/rand"
	"strconv"
	"time"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// pointsView is the points of a customer.
type pointsView struct {
	customer client.User
	balance  client.PointBalance
	entries  table.Table[client.PointEntry]
}

// points shows the points of a customer, adds some and takes some.
func points(r *page.Request) error {
	id := r.PathValue("id")
	f, submitted := r.Form()
	if submitted {
		n, err := strconv.ParseInt(f.Value("points"), 10, 64)
		if err != nil {
			n = 0 // is refused
		}
		_, err = r.API.AdjustPoints(r.Context(), client.AdjustPointsRequest{CustomerID: id, Points: n, Reason: f.Value("reason")},
			client.Key(f.Value("key")))
		if err == nil {
			r.Notify("good", "points.saved")
			return r.SeeOther("/office/customers/" + id + "/points")
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	f.Values.Set("key", rand.Text())
	shown, err := readPoints(r, id)
	if err != nil {
		return err
	}
	return shown.entries.Show(r, pointsPage(r.View, shown, f))
}

func readPoints(r *page.Request, id string) (shown pointsView, err error) {
	if shown.customer, err = r.API.GetUser(r.Context(), id); err != nil {
		return shown, err
	}
	if shown.balance, err = r.API.GetPoints(r.Context(), client.GetPointsQuery{CustomerID: id}); err != nil {
		return shown, err
	}
	shown.entries.Key, shown.entries.Columns = "points.title", entryColumns(r.View)
	return shown, shown.entries.Read(r, "", func(ctx context.Context, paging client.Paging, _ string) (client.Page[client.PointEntry], error) {
		return r.API.ListPointEntries(ctx, client.ListPointEntriesQuery{CustomerID: id, Paging: paging})
	})
}

// entryColumns are those of the file of points.
func entryColumns(v *ui.View) []table.Column[client.PointEntry] {
	return []table.Column[client.PointEntry]{
		moment(v, "orders.when", func(e client.PointEntry) time.Time { return e.At }),
		text("stock.kind", func(e client.PointEntry) string { return v.T("points-kind." + e.Kind) }),
		text("points.title", func(e client.PointEntry) string { return strconv.FormatInt(e.Points, 10) }),
		text("field.order_number", func(e client.PointEntry) string { return e.OrderNumber }),
		text("field.reason", func(e client.PointEntry) string { return e.Text }),
	}
}
