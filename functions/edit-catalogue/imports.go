package editcatalogue

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/problem"
)

// ImportsRequest is up to a hundred rows of a table of products.
type ImportsRequest struct {
	Body struct {
		Rows []ImportRow `json:"rows" minItems:"1" maxItems:"100" nullable:"false"`
	}
}

// ImportRow is a product as a table has it: its store by name, its category by the names from the top.
type ImportRow struct {
	SKU         string       `json:"sku" maxLength:"64"`
	Name        string       `json:"name" maxLength:"200"`
	Description string       `json:"description,omitempty" maxLength:"20000"`
	Price       money.Amount `json:"price"`
	Category    string       `json:"category,omitempty" maxLength:"1000" doc:"A > B" example:"Clothes > Hats"`
	Tags        []string     `json:"tags,omitempty" maxItems:"500"`
	Store       string       `json:"store" maxLength:"200"`
	Active      bool         `json:"active"`
}

// ImportsAnswer has a result for each row, in their order.
type ImportsAnswer struct {
	Body struct {
		Results []ImportResult `json:"results" nullable:"false"`
	}
}

// ImportResult is what has become of a row.
type ImportResult struct {
	SKU    string `json:"sku"`
	Result string `json:"result" enum:"created,updated,unchanged,error"`
	Why    string `json:"why,omitempty" doc:"what is wrong with it"`
}

// shelves is what rows are matched with.
type shelves struct {
	stores     map[string]string // ids by name, "" where several have it
	categories map[string]string // ids by path
	taken      map[string]taken  // what SKUs stand for
}

// taken is what a SKU stands for.
type taken struct {
	productID     string
	outsideNumber *int64
	other         bool // a variant, or something deleted
}

// importRows is called by staff, and by programs that keep the catalogue: rows are matched with products by their SKU.
// A row that is wrong stops no other.
func importRows(ctx context.Context, tx pgx.Tx, in *ImportsRequest) (*ImportsAnswer, []events.Event, error) {
	shelves, err := readShelves(ctx, tx, in.Body.Rows)
	if err != nil {
		return nil, nil, err
	}
	out := &ImportsAnswer{}
	var emitted []events.Event
	for _, row := range in.Body.Rows {
		change, err := shelves.put(ctx, tx, row)
		var wrong *problem.Problem
		if err != nil && (!errors.As(err, &wrong) || len(wrong.Errors) == 0) {
			return nil, nil, err
		}
		result := ImportResult{SKU: row.SKU, Result: "unchanged"}
		switch {
		case wrong != nil:
			result.Result, result.Why = "error", wrong.Errors[0].Field+" "+wrong.Errors[0].Message
		case change != nil:
			result.Result, emitted = change.Change, append(emitted, *change)
		}
		out.Body.Results = append(out.Body.Results, result)
	}
	return out, emitted, nil
}

// put makes a row a product, and returns nil when it is one already.
func (s shelves) put(ctx context.Context, tx pgx.Tx, row ImportRow) (*events.ProductChanged, error) {
	body, err := s.body(row)
	if err != nil {
		return nil, err
	}
	if known, is := s.taken[row.SKU]; is {
		return replace(ctx, tx, known.productID, body)
	}
	productID, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	emitted, err := insertProduct(ctx, tx, productID.String(), body)
	if err == nil {
		err = createEmptyLevels(ctx, tx, emitted.ProductID)
		s.taken[row.SKU] = taken{productID: emitted.ProductID}
	}
	return emitted, err
}

// body returns the product of a row, with the ids of the names that the row uses.
func (s shelves) body(row ImportRow) (*ProductBody, error) {
	known := s.taken[row.SKU]
	b := &ProductBody{
		SKU: row.SKU, Name: row.Name, Description: row.Description, Price: row.Price, Tags: row.Tags, Active: &row.Active, OutsideNumber: known.outsideNumber,
		StoreID: s.stores[row.Store], CategoryID: s.categories[path(strings.Split(row.Category, ">"))],
	}
	switch {
	case known.other:
		return nil, problem.Invalid(problem.FieldError{
			Field: "sku", Message: "is that of a variant, or of something deleted",
		})
	case b.StoreID == "":
		return nil, problem.Invalid(problem.FieldError{
			Field: "store", Message: "is the name of none of our stores, or of several",
		})
	case b.CategoryID == "" && strings.TrimSpace(row.Category) != "":
		return nil, problem.Invalid(problem.FieldError{Field: "category", Message: "is none of our categories"})
	}
	return b, b.check()
}

// path is the names of categories from the top, as rows are matched by them.
func path(names []string) string {
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return strings.Join(names, " > ")
}

// pathsOf are the paths of categories by their ids.
func pathsOf(tree []catalogue.Category) map[string]string {
	paths := map[string]string{}
	for _, c := range tree { // each after those above it
		paths[c.ID] = path([]string{c.Name})
		if c.ParentID != "" {
			paths[c.ID] = path([]string{paths[c.ParentID], c.Name})
		}
	}
	return paths
}

func readShelves(ctx context.Context, tx pgx.Tx, rows []ImportRow) (s shelves, err error) {
	if s.stores, err = readStoreNames(ctx, tx); err != nil {
		return s, err
	}
	tree, err := catalogue.ReadCategories(ctx, tx, "")
	if err != nil {
		return s, err
	}
	s.categories = map[string]string{}
	paths := pathsOf(tree)
	for _, c := range tree {
		s.categories[paths[c.ID]] = c.ID
	}
	s.taken, err = readTaken(ctx, tx, rows)
	return s, err
}

func readStoreNames(ctx context.Context, tx pgx.Tx) (map[string]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT name, CASE WHEN count(*) = 1 THEN min(store_id::text) ELSE '' END
		FROM catalogue.stores
		WHERE deleted_at IS NULL
		GROUP BY name`)
	if err != nil {
		return nil, fmt.Errorf("read names of stores: %w", err)
	}
	found := map[string]string{}
	var name, storeID string
	_, err = pgx.ForEachRow(rows, []any{&name, &storeID}, func() error {
		found[name] = storeID
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read names of stores: %w", err)
	}
	return found, nil
}

// readTaken finds what the SKUs of rows stand for.
func readTaken(ctx context.Context, tx pgx.Tx, of []ImportRow) (map[string]taken, error) {
	skus := make([]string, len(of))
	for i, row := range of {
		skus[i] = row.SKU
	}
	rows, err := tx.Query(ctx, `
		SELECT k.sku, k.product_id::text, p.outside_number, k.variant_id IS NOT NULL OR p.deleted_at IS NOT NULL OR s.deleted_at IS NOT NULL
		FROM catalogue.skus k
		JOIN catalogue.products p USING (product_id)
		JOIN catalogue.stores s USING (store_id)
		WHERE k.sku = ANY (@skus)`, pgx.NamedArgs{"skus": skus})
	if err != nil {
		return nil, fmt.Errorf("find products by SKU: %w", err)
	}
	found := map[string]taken{}
	var sku string
	var t taken
	_, err = pgx.ForEachRow(rows, []any{&sku, &t.productID, &t.outsideNumber, &t.other}, func() error {
		found[sku] = t
		t.outsideNumber = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find products by SKU: %w", err)
	}
	return found, nil
}
