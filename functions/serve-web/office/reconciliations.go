package office

import (
	"context"
	"time"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

func reconciliationColumns(v *ui.View) []table.Column[client.Reconciliation] {
	return []table.Column[client.Reconciliation]{
		text("payments.provider", func(r client.Reconciliation) string { return r.Provider }),
		number("payments.compared", func(r client.Reconciliation) int64 { return r.Compared }),
		number("payments.differences", func(r client.Reconciliation) int64 { return int64(len(r.Differences)) }),
		moment(v, "orders.when", func(r client.Reconciliation) time.Time { return r.At }),
	}
}

func differenceColumns(v *ui.View) []table.Column[client.Difference] {
	ours, currency := amount(v, "payments.ours", func(d client.Difference) client.Amount { return d.Ours })
	theirs, _ := amount(v, "payments.theirs", func(d client.Difference) client.Amount { return d.Theirs })
	return []table.Column[client.Difference]{
		linked("payments.reference", func(d client.Difference) string { return d.ProviderRef }, func(d client.Difference) string {
			if d.PaymentID == "" {
				return ""
			}
			return "/office/payments/" + d.PaymentID
		}),
		text("payments.why", func(d client.Difference) string { return v.T("difference." + d.Kind) }),
		ours, theirs, currency,
		text("payments.queried", func(d client.Difference) string {
			if d.Queried {
				return v.T("payments.yes")
			}
			return ""
		}),
	}
}

// reconciliationView is a page of comparisons, and what differed in the latest of each provider.
type reconciliationView struct {
	table.Table[client.Reconciliation]
	open table.Table[client.Difference]
}

// reconciliations lists comparisons of providers' books with the shop's, the newest first.
func reconciliations(r *page.Request) error {
	shown := reconciliationView{
		Table: table.Table[client.Reconciliation]{Key: "payments.reconciliations", Columns: reconciliationColumns(r.View)},
		open:  table.Table[client.Difference]{Key: "payments.differences", Columns: differenceColumns(r.View), Whole: true},
	}
	err := shown.Read(r, "", func(ctx context.Context, paging client.Paging, _ string) (client.Page[client.Reconciliation], error) {
		return r.API.ListReconciliations(ctx, client.ListReconciliationsQuery{Paging: paging})
	})
	if err != nil {
		return err
	}
	latest, err := r.API.ListReconciliations(r.Context(), client.ListReconciliationsQuery{Paging: client.Paging{Limit: 10}})
	if err != nil {
		return err
	}
	shown.open.Hold(r, "", differing(latest.Items))
	return shown.Show(r, reconciliationsPage(r.View, shown))
}

// differing returns the differences in the first comparison of each provider.
func differing(comparisons []client.Reconciliation) (all []client.Difference) {
	seen := map[string]bool{}
	for _, c := range comparisons {
		if !seen[c.Provider] {
			all = append(all, c.Differences...)
		}
		seen[c.Provider] = true
	}
	return all
}
