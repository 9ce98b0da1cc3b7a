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
	"github.com/popup-shop/popup/internal/tablecell"
	"github.com/popup-shop/popup/internal/web"
)

// ImportsRequest is up to a hundred rows of a table of products.
type ImportsRequest struct {
	Body struct {
		Rows   []ImportRow `json:"rows" minItems:"1" maxItems:"100" nullable:"false"`
		DryRun bool        `json:"dry_run,omitempty" doc:"Report what would become of the rows, and store nothing."`
	}
}

// ImportRow is a product as a table has it. What a field may have is checked row by row, so that a wrong row stops no
// other.
type ImportRow struct {
	SKU         string       `json:"sku" doc:"At most 64 characters."`
	Name        string       `json:"name" doc:"At most 200 characters."`
	Description string       `json:"description,omitempty" doc:"At most 20,000 characters."`
	Price       money.Amount `json:"price"`
	Category    string       `json:"category,omitempty" doc:"The names from the top, with \">\" between them, or the id. A name has \"\\>\" for \">\" and \"\\\\\" for \"\\\"." example:"Clothes > Hats"`
	Tags        []string     `json:"tags,omitempty" doc:"At most 50 different tags of up to 50 characters."`
	Store       string       `json:"store" doc:"The name, or the id where several stores have the name."`
	Active      bool         `json:"active"`
}

// ImportsAnswer has a result for each row, in their order.
type ImportsAnswer struct {
	Body struct {
		Results []ImportResult `json:"results" nullable:"false"`
	}
}

// ImportResult is the result of a row.
type ImportResult struct {
	SKU    string        `json:"sku"`
	Result string        `json:"result" enum:"created,updated,unchanged,error"`
	Why    string        `json:"why,omitempty" doc:"The errors as one text."`
	Errors []ImportError `json:"errors,omitempty" doc:"What is wrong with the row."`
}

// ImportError is what is wrong with a cell.
type ImportError struct {
	Column string `json:"column"`
	Why    string `json:"why"`
}

// importLookup is what rows are matched with.
type importLookup struct {
	stores     tablecell.Index
	categories tablecell.Index
	owners     map[string]skuOwner
}

// skuOwner is what has a SKU.
type skuOwner struct {
	productID     string
	outsideNumber *int64
	unusable      bool // a variant, or something deleted of which there are goods
}

// importRows is called by staff, and by programs that keep the catalogue: rows are matched with products by their SKU.
// A row that is wrong stops no other.
func importRows(ctx context.Context, tx pgx.Tx, in *ImportsRequest) (*ImportsAnswer, []events.Event, error) {
	if !in.Body.DryRun {
		return importAll(ctx, tx, in.Body.Rows)
	}
	if _, err := tx.Exec(ctx, `SAVEPOINT dry_run`); err != nil {
		return nil, nil, fmt.Errorf("begin dry run: %w", err)
	}
	out, _, err := importAll(ctx, tx, in.Body.Rows)
	if err != nil {
		return nil, nil, err
	}
	if _, err := tx.Exec(ctx, `ROLLBACK TO SAVEPOINT dry_run`); err != nil {
		return nil, nil, fmt.Errorf("undo dry run: %w", err)
	}
	return out, nil, nil
}

func importAll(ctx context.Context, tx pgx.Tx, rows []ImportRow) (*ImportsAnswer, []events.Event, error) {
	lookup, err := readLookup(ctx, tx, rows)
	if err != nil {
		return nil, nil, err
	}
	out := &ImportsAnswer{}
	var emitted []events.Event
	for _, row := range rows {
		change, err := lookup.put(ctx, tx, row)
		var wrong *problem.Problem
		if err != nil && (!errors.As(err, &wrong) || len(wrong.Errors) == 0) {
			return nil, nil, err
		}
		result := ImportResult{SKU: row.SKU, Result: "unchanged"}
		switch {
		case wrong != nil:
			result.refuse(wrong.Errors)
		case change != nil:
			result.Result, emitted = change.Change, append(emitted, *change)
		}
		out.Body.Results = append(out.Body.Results, result)
	}
	return out, emitted, nil
}

func (r *ImportResult) refuse(errs []problem.FieldError) {
	r.Result = "error"
	reasons := make([]string, len(errs))
	for i, e := range errs {
		column := columnOf(e.Field)
		r.Errors = append(r.Errors, ImportError{column, e.Message})
		reasons[i] = column + " " + e.Message
	}
	r.Why = strings.Join(reasons, "; ")
}

// columnOf returns the column of a table for a field of a product.
func columnOf(field string) string {
	switch field {
	case "price.amount_minor":
		return "price_minor"
	case "price.currency":
		return "currency"
	case "store_id":
		return "store"
	case "category_id":
		return "category"
	}
	name, _, _ := strings.Cut(field, "[")
	return name
}

// put makes a row a product, and returns nil when it is one already.
func (l importLookup) put(ctx context.Context, tx pgx.Tx, row ImportRow) (*events.ProductChanged, error) {
	body, err := l.body(row)
	if err != nil {
		return nil, err
	}
	if owner, ok := l.owners[row.SKU]; ok {
		return replace(ctx, tx, owner.productID, body)
	}
	productID, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	emitted, err := insertProduct(ctx, tx, productID.String(), body)
	if err == nil {
		err = createEmptyLevels(ctx, tx, emitted.ProductID)
		l.owners[row.SKU] = skuOwner{productID: emitted.ProductID}
	}
	return emitted, err
}

// body returns the product of a row, with the ids of the names that the row uses.
func (l importLookup) body(row ImportRow) (*ProductBody, error) {
	owner := l.owners[row.SKU]
	b := &ProductBody{
		SKU: row.SKU, Name: row.Name, Description: row.Description, Price: row.Price, Tags: row.Tags, Active: &row.Active,
		OutsideNumber: owner.outsideNumber, StoreID: l.stores.Find(row.Store), CategoryID: l.categories.Find(row.Category),
	}
	var faults faults
	if owner.unusable {
		faults.add("sku", "is that of a variant, or of goods of something deleted")
	}
	if b.StoreID == "" {
		faults.add("store", "is the name of none of our stores, or of several")
	}
	if b.CategoryID == "" && strings.TrimSpace(row.Category) != "" {
		faults.add("category", "names none of our categories, or several")
	}
	faults.checkProduct(b)
	return b, faults.problem()
}

func readLookup(ctx context.Context, tx pgx.Tx, rows []ImportRow) (l importLookup, err error) {
	stores, err := readStoreNames(ctx, tx)
	if err != nil {
		return l, err
	}
	tree, err := catalogue.ReadCategories(ctx, tx, "")
	if err != nil {
		return l, err
	}
	l.stores, l.categories = tablecell.NewIndex(stores), tablecell.NewIndex(namesOf(tree))
	l.owners, err = readOwners(ctx, tx, rows)
	return l, err
}

func namesOf(tree []catalogue.Category) []tablecell.Named {
	all := make([]tablecell.Named, len(tree))
	for i, c := range tree {
		all[i] = tablecell.Named{ID: c.ID, ParentID: c.ParentID, Name: c.Name}
	}
	return all
}

// readStoreNames returns the stores that are not deleted.
func readStoreNames(ctx context.Context, db web.Reader) ([]tablecell.Named, error) {
	rows, err := db.Query(ctx, `
		SELECT store_id::text, '', name
		FROM catalogue.stores
		WHERE deleted_at IS NULL`)
	if err != nil {
		return nil, fmt.Errorf("read names of stores: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tablecell.Named])
	if err != nil {
		return nil, fmt.Errorf("read names of stores: %w", err)
	}
	return all, nil
}

// readOwners returns what has the SKUs of rows.
func readOwners(ctx context.Context, tx pgx.Tx, of []ImportRow) (map[string]skuOwner, error) {
	skus := make([]string, len(of))
	for i, row := range of {
		skus[i] = row.SKU
	}
	rows, err := tx.Query(ctx, `
		SELECT k.sku, k.product_id::text, p.outside_number, k.variant_id IS NOT NULL OR catalogue.is_deleted(k.product_id, k.variant_id)
		FROM catalogue.skus k
		JOIN catalogue.products p USING (product_id)
		WHERE k.sku = ANY (@skus) AND (NOT catalogue.is_deleted(k.product_id, k.variant_id)
			OR EXISTS (SELECT FROM stock.levels l WHERE l.sku = k.sku AND l.on_hand > 0))`, pgx.NamedArgs{"skus": skus})
	if err != nil {
		return nil, fmt.Errorf("find products by SKU: %w", err)
	}
	owners := map[string]skuOwner{}
	var sku string
	var owner skuOwner
	_, err = pgx.ForEachRow(rows, []any{&sku, &owner.productID, &owner.outsideNumber, &owner.unusable}, func() error {
		owners[sku] = owner
		owner.outsideNumber = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find products by SKU: %w", err)
	}
	return owners, nil
}
