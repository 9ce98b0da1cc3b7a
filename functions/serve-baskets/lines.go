package servebaskets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/pricing"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const (
	maxQuantity = 99
	maxLines    = 100 // as in an order
)

// sum calculates the count and what the basket costs as an order. Lines that are not on sale do not add to it.
func (b *Basket) sum(taxJPY int64) {
	subtotal := money.Amount{Currency: cmp.Or(currencyOf(b.Lines), "EUR")}
	for _, line := range b.Lines {
		b.Count += line.Quantity
		if line.OnSale && line.UnitPrice.Currency == subtotal.Currency {
			subtotal.Minor += line.Quantity * line.UnitPrice.Minor
		}
	}
	b.Prices = pricing.Total(subtotal, taxJPY).In(subtotal.Currency)
}

// checkAddable returns a problem if the basket may not have more of a product, or the shop has not enough of it.
func (l Line) checkAddable(lines []Line, more int64) error {
	quantity := more
	exists := false
	for _, line := range lines {
		if line.ProductID == l.ProductID && line.VariantID == l.VariantID {
			quantity = line.Quantity + more
			exists = true
		}
	}
	switch currency := currencyOf(lines); {
	case currency != "" && currency != l.UnitPrice.Currency:
		return problem.New(http.StatusConflict, "not-possible-now",
			"The item has another currency than the other items of the basket.")
	case quantity > maxQuantity:
		return problem.Invalid(problem.FieldError{Field: "quantity", Message: fmt.Sprintf("makes more than %d", maxQuantity)})
	case !exists && len(lines) >= maxLines:
		return problem.Invalid(problem.FieldError{Field: "quantity", Message: fmt.Sprintf("makes more than %d lines", maxLines)})
	}
	return l.checkOrderable(quantity)
}

// checkOrderable returns a problem if the quantity can't be ordered now.
func (l Line) checkOrderable(quantity int64) error {
	if !l.OnSale {
		return problem.New(http.StatusConflict, "not-on-sale", "This item is not on sale any more.")
	}
	if quantity > l.Available {
		return problem.New(http.StatusConflict, "out-of-stock", "There is not enough stock of this item.").
			With("available", l.Available).
			With("lines", []map[string]any{{"sku": l.SKU, "requested": quantity, "available": l.Available}})
	}
	return nil
}

// currentColumns are the columns with the current name, price and stock of a product or variant; catalogue has the
// joins for them.
const currentColumns = `coalesce(v.sku, p.sku), concat_ws(', ', p.name, v.name), coalesce(v.price_minor, p.price_minor), p.currency,
	coalesce((SELECT sum(on_hand - reserved)::bigint FROM stock.levels WHERE sku = coalesce(v.sku, p.sku)), 0),
	p.active AND p.deleted_at IS NULL AND v.deleted_at IS NULL AND s.participating`

const catalogueJoins = `
	JOIN catalogue.products p USING (product_id)
	JOIN catalogue.stores s USING (store_id)
	LEFT JOIN catalogue.variants v ON v.variant_id = of.variant_id`

func readLines(ctx context.Context, tx pgx.Tx, basketID string) ([]Line, error) {
	if basketID == "" {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `
		SELECT line_id::text, of.product_id::text, coalesce(of.variant_id::text, ''), quantity, unit_price_minor, of.currency, `+currentColumns+`
		FROM orders.basket_lines of`+catalogueJoins+`
		WHERE basket_id = @basket_id
		ORDER BY of.created_at, line_id`, pgx.NamedArgs{"basket_id": basketID})
	if err != nil {
		return nil, fmt.Errorf("read lines of basket %s: %w", basketID, err)
	}
	lines, err := pgx.CollectRows(rows, scanLine)
	if err != nil {
		return nil, fmt.Errorf("read lines of basket %s: %w", basketID, err)
	}
	return lines, nil
}

func scanLine(row pgx.CollectableRow) (l Line, err error) {
	var old money.Amount
	err = row.Scan(&l.ID, &l.ProductID, &l.VariantID, &l.Quantity, &old.Minor, &old.Currency,
		&l.SKU, &l.Name, &l.UnitPrice.Minor, &l.UnitPrice.Currency, &l.Available, &l.OnSale)
	if old != l.UnitPrice {
		l.OldPrice = &old
	}
	return l, err
}

// lookup returns a line without quantity for the product or variant that a request names by its id or SKU.
func (in *AddRequest) lookup(ctx context.Context, tx pgx.Tx) (l Line, err error) {
	b := in.Body
	err = tx.QueryRow(ctx, `
		SELECT of.product_id::text, coalesce(of.variant_id::text, ''), `+currentColumns+`
		FROM (
			SELECT product_id, NULL::uuid AS variant_id FROM catalogue.products WHERE product_id = nullif(@product_id, '')::uuid
			UNION ALL SELECT product_id, variant_id FROM catalogue.variants WHERE variant_id = nullif(@variant_id, '')::uuid
			UNION ALL SELECT product_id, variant_id FROM catalogue.skus WHERE sku = @sku
		) of`+catalogueJoins, pgx.NamedArgs{"product_id": b.ProductID, "variant_id": b.VariantID, "sku": b.SKU}).
		Scan(&l.ProductID, &l.VariantID, &l.SKU, &l.Name, &l.UnitPrice.Minor, &l.UnitPrice.Currency, &l.Available, &l.OnSale)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, problem.Invalid(problem.FieldError{Field: in.names()[0], Message: "is not in the catalogue"})
	}
	if err != nil {
		return l, fmt.Errorf("read product for basket: %w", err)
	}
	return l, nil
}

// names returns the fields that name the product.
func (in *AddRequest) names() (fields []string) {
	for field, value := range map[string]string{"product_id": in.Body.ProductID, "variant_id": in.Body.VariantID, "sku": in.Body.SKU} {
		if value != "" {
			fields = append(fields, field)
		}
	}
	return fields
}

// Resolve returns every field that is wrong.
func (in *AddRequest) Resolve(huma.Context) []error {
	if len(in.names()) != 1 {
		return web.BodyErrors([]problem.FieldError{{
			Field: "product_id", Message: "must be given, or a variant_id or a sku; exactly one of them",
		}})
	}
	var errs []problem.FieldError
	for field, value := range map[string]string{"product_id": in.Body.ProductID, "variant_id": in.Body.VariantID} {
		if value != "" && !id.Valid(value) {
			errs = append(errs, problem.FieldError{Field: field, Message: "is not a UUID"})
		}
	}
	return web.BodyErrors(errs)
}

// putLine adds a line, or adds to the quantity of the existing line of the same product.
func putLine(ctx context.Context, tx pgx.Tx, basketID string, l Line, more int64) error {
	lineID, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO orders.basket_lines AS old (line_id, basket_id, product_id, variant_id, quantity, unit_price_minor, currency, created_at)
		VALUES (@line_id, @basket_id, @product_id, nullif(@variant_id, '')::uuid, @more, @price, @currency, clock_timestamp())
		ON CONFLICT ON CONSTRAINT basket_lines_once_per_thing DO UPDATE SET
			quantity = least(old.quantity + excluded.quantity, @most), unit_price_minor = excluded.unit_price_minor, currency = excluded.currency`,
		pgx.NamedArgs{
			"line_id": lineID.String(), "basket_id": basketID, "product_id": l.ProductID, "variant_id": l.VariantID,
			"more": more, "price": l.UnitPrice.Minor, "currency": l.UnitPrice.Currency, "most": maxQuantity,
		})
	if err != nil {
		return fmt.Errorf("add line to basket %s: %w", basketID, err)
	}
	return nil
}

func setLine(ctx context.Context, tx pgx.Tx, basketID string, l Line, quantity int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE orders.basket_lines SET quantity = @quantity, unit_price_minor = @price, currency = @currency
		WHERE basket_id = @basket_id AND line_id = @line_id`, pgx.NamedArgs{
		"basket_id": basketID, "line_id": l.ID, "quantity": quantity, "price": l.UnitPrice.Minor,
		"currency": l.UnitPrice.Currency,
	})
	if err != nil {
		return fmt.Errorf("change basket %s: %w", basketID, err)
	}
	return nil
}

func deleteLine(ctx context.Context, tx pgx.Tx, basketID, lineID string) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM orders.basket_lines
		WHERE basket_id = @basket_id AND line_id = @line_id`, pgx.NamedArgs{"basket_id": basketID, "line_id": lineID})
	if err != nil {
		return fmt.Errorf("delete line of basket %s: %w", basketID, err)
	}
	return nil
}

func emptyBasket(ctx context.Context, tx pgx.Tx, basketID string) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM orders.basket_lines
		WHERE basket_id = @basket_id`, pgx.NamedArgs{"basket_id": basketID})
	if err != nil {
		return fmt.Errorf("empty basket %s: %w", basketID, err)
	}
	return nil
}
