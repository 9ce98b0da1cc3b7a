package servepayments

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/web"
)

// ReconciliationsRequest selects a page of the comparisons, newest first.
type ReconciliationsRequest struct {
	web.Paging
	Provider string `query:"provider" maxLength:"50" example:"card"`
	Differ   bool   `query:"differ" doc:"Only those with differences."`
}

// Reconciliation is a comparison of a provider's books with the shop's.
type Reconciliation struct {
	ID          string       `json:"id" format:"uuid"`
	Provider    string       `json:"provider" example:"card"`
	Since       time.Time    `json:"since" doc:"Payments from then on were compared."`
	Compared    int64        `json:"compared" doc:"How many payments of the shop were compared."`
	Differences []Difference `json:"differences" nullable:"false" doc:"At most 500."`
	At          time.Time    `json:"at"`
}

// Difference is a payment that a provider has in another way than the shop.
type Difference struct {
	Kind        string       `json:"kind" enum:"unknown,missing,received,refunded,closed" doc:"Unknown: the shop has no such payment. Missing: the provider has none. Received, refunded: the sums differ. Closed: it can no longer be paid there."`
	PaymentID   string       `json:"payment_id,omitempty" format:"uuid"`
	OrderID     string       `json:"order_id,omitempty" format:"uuid"`
	ProviderRef string       `json:"provider_ref"`
	Ours        money.Amount `json:"ours"`
	Theirs      money.Amount `json:"theirs"`
	Queried     bool         `json:"queried" doc:"The provider was queried about the payment, which corrects it. The others are for people."`
}

func shown(d payment.Difference) Difference {
	return Difference{
		Kind: d.Kind, PaymentID: d.PaymentID, OrderID: d.OrderID, ProviderRef: d.Ref, Queried: d.Query,
		Ours: money.Amount{Minor: d.Ours, Currency: d.Currency}, Theirs: money.Amount{Minor: d.Theirs, Currency: d.Currency},
	}
}

func listReconciliations(ctx context.Context, db web.Reader, in *ReconciliationsRequest) (items []Reconciliation, total int64, err error) {
	items, total, err = web.QueryPage(ctx, db, scanReconciliation,
		`FROM payments.reconciliations r WHERE @provider IN ('', r.provider) AND (NOT @differ OR r.differences <> '[]')`,
		`SELECT r.reconciliation_id::text, r.provider, r.since, r.compared, r.differences, r.at`,
		`ORDER BY r.at DESC, r.reconciliation_id LIMIT @limit OFFSET @offset`, pgx.NamedArgs{
			"provider": in.Provider, "differ": in.Differ, "limit": in.Limit, "offset": in.Offset(),
		})
	if err != nil {
		return nil, 0, fmt.Errorf("read reconciliations: %w", err)
	}
	return items, total, nil
}

func scanReconciliation(row pgx.CollectableRow) (r Reconciliation, err error) {
	var differences []payment.Difference
	err = row.Scan(&r.ID, &r.Provider, &r.Since, &r.Compared, &differences, &r.At)
	r.Since, r.At, r.Differences = r.Since.UTC(), r.At.UTC(), make([]Difference, len(differences))
	for i, d := range differences {
		r.Differences[i] = shown(d)
	}
	return r, err
}
