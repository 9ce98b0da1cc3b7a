package office

import (
	"crypto/rand"
	"strconv"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
)

// pointsView is the points of a customer.
type pointsView struct {
	customer client.User
	balance  client.PointBalance
	entries  client.Page[client.PointEntry]
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
	return r.Show(pointsPage(r.View, shown, f))
}

func readPoints(r *page.Request, id string) (shown pointsView, err error) {
	if shown.customer, err = r.API.GetUser(r.Context(), id); err != nil {
		return shown, err
	}
	if shown.balance, err = r.API.GetPoints(r.Context(), client.GetPointsQuery{CustomerID: id}); err != nil {
		return shown, err
	}
	shown.entries, err = r.API.ListPointEntries(r.Context(), client.ListPointEntriesQuery{
		CustomerID: id, Paging: client.Paging{Page: pageOf(r), Limit: sizeOf(r)},
	})
	return shown, err
}
