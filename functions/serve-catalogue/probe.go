package servecatalogue

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/web"
)

// ProbeQueries makes the calls that people make most, on whatever the catalogue has: for those who want to know what
// the database makes of them.
func ProbeQueries(ctx context.Context, db web.Reader) error {
	var product, category, store string
	err := db.QueryRow(ctx, `
		SELECT product_id::text, coalesce(category_id::text, ''), store_id::text FROM catalogue.products p
		WHERE active AND deleted_at IS NULL
		ORDER BY created_at DESC, product_id DESC
		LIMIT 1`).Scan(&product, &category, &store)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read a product: %w", err)
	}
	if err := probeLists(ctx, db, category, store); err != nil {
		return err
	}
	if err := probeSearches(ctx, db); err != nil {
		return err
	}
	_, err = catalogue.ReadProduct(ctx, db, product)
	return err
}

func probeLists(ctx context.Context, db web.Reader, category, store string) error {
	filters := []Filter{
		{},
		{CategoryID: category},
		{StoreID: store},
		{Tag: "new"},
		{InStockOnly: true},
		{MinPrice: 1, MaxPrice: 5000},
		{Tag: "new", CategoryID: category},
		{Tag: "new", InStockOnly: true},
		{CategoryID: category, InStockOnly: true, MaxPrice: 5000},
	}
	for sort := range orders {
		for _, filter := range filters {
			in := &ListRequest{Paging: web.Paging{Page: 1, Limit: 20}, Filter: filter, Sort: sort}
			n, err := count(ctx, db, in)
			if err != nil {
				return err
			}
			for _, few := range []bool{in.filterFirst(n), false} { // as it is here, and as it is where there are many
				if _, err := readPage(ctx, db, in, pageOptions{filterFirst: few}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func probeSearches(ctx context.Context, db web.Reader) error {
	for _, q := range []string{"linen", "linen mug", "keybaord", "新月"} {
		if _, err := search(ctx, db, &SearchRequest{Paging: web.Paging{Page: 1, Limit: 20}, Q: q, Sort: "relevance"}); err != nil {
			return err
		}
		if _, err := suggest(ctx, db, &SuggestRequest{Q: q}); err != nil {
			return err
		}
	}
	return nil
}
