package editcatalogue

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
)

// DeletionsRequest names products to delete.
type DeletionsRequest struct {
	Body struct {
		IDs []string `json:"ids" minItems:"1" maxItems:"1000" nullable:"false"`
	}
}

// Deletion is the result for one product.
type Deletion struct {
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
	Why     string `json:"why,omitempty" doc:"Why it was not deleted."`
}

// DeletionsAnswer has a result for each product, in the order of the request.
type DeletionsAnswer struct {
	Body struct {
		Results []Deletion `json:"results" nullable:"false"`
	}
}

// remove is called by staff, and by programs that keep the catalogue.
func remove(ctx context.Context, tx pgx.Tx, in *Request) (*struct{}, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("product")
	}
	gone, err := hide(ctx, tx, []string{in.ID})
	if err != nil {
		return nil, nil, err
	}
	if len(gone) == 0 {
		return nil, nil, problem.NotFound("product")
	}
	return &struct{}{}, gone, nil
}

// removeAll is called by staff, and by programs that keep the catalogue: products that cannot be deleted are reported,
// and all others are deleted.
func removeAll(ctx context.Context, tx pgx.Tx, in *DeletionsRequest) (*DeletionsAnswer, []events.Event, error) {
	var valid []string
	for _, each := range in.Body.IDs {
		if id.Valid(each) {
			valid = append(valid, each)
		}
	}
	gone, err := hide(ctx, tx, valid)
	if err != nil {
		return nil, nil, err
	}
	deleted := map[string]bool{}
	for _, e := range gone {
		deleted[e.About().Subject] = true
	}
	out := &DeletionsAnswer{}
	for _, each := range in.Body.IDs {
		result := Deletion{ID: each, Deleted: deleted[strings.ToLower(each)]}
		if !result.Deleted {
			result.Why = "the product does not exist"
		}
		out.Body.Results = append(out.Body.Results, result)
	}
	return out, gone, nil
}

// hide marks products as deleted. Their rows stay, since orders refer to them.
func hide(ctx context.Context, tx pgx.Tx, ids []string) (gone []events.Event, err error) {
	rows, err := tx.Query(ctx, `
		UPDATE catalogue.products SET deleted_at = now()
		WHERE product_id = ANY (@ids::uuid[]) AND deleted_at IS NULL
		RETURNING product_id::text, store_id::text, version`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("delete products: %w", err)
	}
	e := events.ProductChanged{Change: events.ChangeDeleted}
	_, err = pgx.ForEachRow(rows, []any{&e.ProductID, &e.StoreID, &e.Version}, func() error {
		gone = append(gone, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete products: %w", err)
	}
	return gone, nil
}
