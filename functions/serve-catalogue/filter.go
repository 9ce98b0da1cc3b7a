package servecatalogue

import (
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
)

const (
	// countTo is how far products are counted one by one. Beyond a thousand the exact number is of little use; statements
	// count one more to find out whether there are more.
	countTo = 1000
	// fewFound is up to how many matches of words are collected first and then sorted.
	fewFound = 20_000
)

// Filter selects products; they must satisfy all its conditions.
type Filter struct {
	CategoryID  string `query:"category_id" format:"uuid" doc:"The category and all below it."`
	Tag         string `query:"tag" maxLength:"50"`
	StoreID     string `query:"store_id" format:"uuid"`
	MinPrice    int64  `query:"min_price" minimum:"0" doc:"In minor units."`
	MaxPrice    int64  `query:"max_price" minimum:"0" doc:"In minor units."`
	Currency    string `query:"currency" pattern:"^[A-Z]{3}$" doc:"Currency of the prices."`
	InStockOnly bool   `query:"in_stock_only"`
}

func (f Filter) faults() (faults []problem.FieldError) {
	for field, value := range map[string]string{"category_id": f.CategoryID, "store_id": f.StoreID} {
		if value != "" && !id.Valid(value) {
			faults = append(faults, problem.FieldError{Field: field, Message: "is not a UUID"})
		}
	}
	if f.MaxPrice > 0 && f.MinPrice > f.MaxPrice {
		faults = append(faults, problem.FieldError{Field: "max_price", Message: "is below min_price"})
	}
	return faults
}

// hasCounters reports whether the counters have the number of products.
func (f Filter) hasCounters() bool {
	return f.MinPrice == 0 && f.MaxPrice == 0 && f.Currency == "" && !f.InStockOnly
}

func (f Filter) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"category_id": f.CategoryID, "tag": f.Tag, "store_id": f.StoreID, "min_price": f.MinPrice, "max_price": f.MaxPrice, "currency": f.Currency,
		"q": "", "unfinished": false, // what is wanted without words
	}
}

// usesKeyIndex reports whether the index of keys is faster than an index in the order of the list.
func (in *ListRequest) usesKeyIndex() bool {
	return in.Q != "" || in.Tag != "" && (in.CategoryID != "" || in.StoreID != "")
}
