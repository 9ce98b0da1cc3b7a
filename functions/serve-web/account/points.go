package account

import (
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
)

// points shows the balance of an account and what changed it.
func points(r *page.Request) error {
	number, _ := strconv.ParseInt(r.FormValue("page"), 10, 64)
	var balance client.PointBalance
	var entries client.Page[client.PointEntry]
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		balance, err = r.API.GetPoints(ctx, client.GetPointsQuery{})
		return err
	})
	calls.Go(func() (err error) {
		entries, err = r.API.ListPointEntries(ctx, client.ListPointEntriesQuery{Paging: client.Paging{Page: max(number, 1), Limit: 20}})
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	return r.Show(pointsPage(r.View, balance, entries))
}
