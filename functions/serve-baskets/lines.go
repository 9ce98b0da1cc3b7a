package servebaskets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/problem"
)

const (
	mostOfAThing = 99
	mostLines    = 100 // as in an order
)

// sum counts what is in the basket. What is not sold any more costs nothing.
func (b *Basket) sum() {
	b.Subtotal.Currency = cmp.Or(currencyOf(b.Lines), "EUR")
	for _, line := range b.Lines {
		b.Count += line.Quantity
		if line.OnSale && line.UnitPrice.Currency == b.Subtotal.Currency {
			b.Subtotal.Minor += line.Quantity * line.UnitPrice.Minor
		}
	}
}

// fits refuses more of a thing than a basket may have or the shop has.
func (l Line) fits(lines []Line, more int64) error {
	wanted, there := more, false
	for _, line := range lines {
		if line.ProductID == l.ProductID && line.VariantID == l.VariantID {
			wanted, there = line.Quantity+more, true
		}
	}
	switch currency := currencyOf(lines); {
	case currency != "" && currency != l.UnitPrice.Currency:
		return problem.New(http.StatusConflict, "not-possible-now", "it has another currency than what is in the basket")
	case wanted > mostOfAThing:
		return problem.Invalid(problem.FieldError{Field: "quantity", Message: fmt.Sprintf("makes more than %d", mostOfAThing)})
	case !there && len(lines) >= mostLines:
		return problem.Invalid(problem.FieldError{Field: "quantity", Message: fmt.Sprintf("makes more than %d lines", mostLines)})
	}
	return l.orderable(wanted)
}

// orderable refuses what could not be ordered now.
func (l Line) orderable(wanted int64) error {
	if !l.OnSale {
		return problem.New(http.StatusConflict, "not-on-sale", "it is not sold any more")
	}
	if wanted > l.Available {
		return problem.New(http.StatusConflict, "out-of-stock", "there is not enough of it").With("available", l.Available).
			With("lines", []map[string]any{{"sku": l.SKU, "requested": wanted, "available": l.Available}})
	}
	return nil
}

// now is what the catalogue and the warehouses say now about something with a product_id and a variant_id.
const now = `coalesce(v.sku, p.sku), concat_ws(', ', p.name, v.name), coalesce(v.price_minor, p.price_minor), p.currency,
	coalesce((SELECT sum(on_hand - reserved)::bigint FROM stock.levels WHERE sku = coalesce(v.sku, p.sku)), 0),
	p.active AND p.deleted_at IS NULL AND v.deleted_at IS NULL AND s.participating`

const catalogue = `
	JOIN catalogue.products p USING (product_id)
	JOIN catalogue.stores s USING (store_id)
	LEFT JOIN catalogue.variants v ON v.variant_id = of.variant_id`

func readLines(ctx context.Context, tx pgx.Tx, basketID string) ([]Line, error) {
	if basketID == "" {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `
		SELECT line_id::text, of.product_id::text, coalesce(of.variant_id::text, ''), quantity, unit_price_minor, of.currency, `+now+`
		FROM orders.basket_lines of`+catalogue+`
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

// find is what somebody names by its id or its SKU.
func (in *AddRequest) find(ctx context.Context, tx pgx.Tx) (l Line, err error) {
	field, err := in.named()
	if err != nil {
		return l, err
	}
	b := in.Body
	err = tx.QueryRow(ctx, `
		SELECT of.product_id::text, coalesce(of.variant_id::text, ''), `+now+`
		FROM (
			SELECT product_id, NULL::uuid AS variant_id FROM catalogue.products WHERE product_id = nullif(@product_id, '')::uuid
			UNION ALL SELECT product_id, variant_id FROM catalogue.variants WHERE variant_id = nullif(@variant_id, '')::uuid
			UNION ALL SELECT product_id, variant_id FROM catalogue.skus WHERE sku = @sku
		) of`+catalogue, pgx.NamedArgs{"product_id": b.ProductID, "variant_id": b.VariantID, "sku": b.SKU}).
		Scan(&l.ProductID, &l.VariantID, &l.SKU, &l.Name, &l.UnitPrice.Minor, &l.UnitPrice.Currency, &l.Available, &l.OnSale)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, problem.Invalid(problem.FieldError{Field: field, Message: "is nothing that we know"})
	}
	if err != nil {
		return l, fmt.Errorf("read what is put into a basket: %w", err)
	}
	return l, nil
}

// named is the one field that says what is meant.
func (in *AddRequest) named() (field string, err error) {
	n := 0
	for name, value := range map[string]string{"product_id": in.Body.ProductID, "variant_id": in.Body.VariantID, "sku": in.Body.SKU} {
		if value == "" {
			continue
		}
		n++
		if field = name; name != "sku" && !id.Valid(value) {
			return field, problem.Invalid(problem.FieldError{Field: field, Message: "is not a UUID"})
		}
	}
	if n != 1 {
		return "", problem.Invalid(problem.FieldError{Field: "product_id", Message: "or a variant_id or a sku must be given, and one of them"})
	}
	return field, nil
}

// putLine adds to the line of a thing, or makes it.
func putLine(ctx context.Context, tx pgx.Tx, basketID string, l Line, more int64) error {
	lineID, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO orders.basket_lines AS kept (line_id, basket_id, product_id, variant_id, quantity, unit_price_minor, currency, created_at)
		VALUES (@line_id, @basket_id, @product_id, nullif(@variant_id, '')::uuid, @more, @price, @currency, clock_timestamp())
		ON CONFLICT ON CONSTRAINT basket_lines_once_per_thing DO UPDATE SET
			quantity = least(kept.quantity + excluded.quantity, @most), unit_price_minor = excluded.unit_price_minor, currency = excluded.currency`,
		pgx.NamedArgs{
			"line_id": lineID.String(), "basket_id": basketID, "product_id": l.ProductID, "variant_id": l.VariantID, "more": more,
			"price": l.UnitPrice.Minor, "currency": l.UnitPrice.Currency, "most": mostOfAThing,
		})
	if err != nil {
		return fmt.Errorf("put into basket %s: %w", basketID, err)
	}
	return nil
}

func setLine(ctx context.Context, tx pgx.Tx, basketID string, l Line, quantity int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE orders.basket_lines SET quantity = @quantity, unit_price_minor = @price, currency = @currency
		WHERE basket_id = @basket_id AND line_id = @line_id`, pgx.NamedArgs{
		"basket_id": basketID, "line_id": l.ID, "quantity": quantity, "price": l.UnitPrice.Minor, "currency": l.UnitPrice.Currency,
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
		return fmt.Errorf("take out of basket %s: %w", basketID, err)
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
