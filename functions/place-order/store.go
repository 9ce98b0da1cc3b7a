package placeorder

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/address"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/problem"
)

// readProducts returns the ordered products and variants by id and by SKU. A variant without a price has that of its
// product.
func readProducts(ctx context.Context, tx pgx.Tx, lines []Item) (map[string]product, error) {
	ids, variants, skus := []string{}, []string{}, []string{}
	for _, line := range lines {
		switch {
		case line.ProductID != "":
			ids = append(ids, line.ProductID)
		case line.VariantID != "":
			variants = append(variants, line.VariantID)
		default:
			skus = append(skus, line.SKU)
		}
	}
	rows, err := tx.Query(ctx, `
		WITH ordered AS (
			SELECT product_id, NULL::uuid AS variant_id FROM catalogue.products WHERE product_id = ANY (@ids::uuid[])
			UNION SELECT product_id, variant_id FROM catalogue.variants WHERE variant_id = ANY (@variants::uuid[])
			UNION SELECT product_id, variant_id FROM catalogue.skus WHERE sku = ANY (@skus)
		)
		SELECT p.product_id::text, coalesce(v.variant_id::text, ''), coalesce(v.sku, p.sku), concat_ws(', ', p.name, v.name),
			s.store_id::text, s.name, coalesce(v.price_minor, p.price_minor), p.currency,
			p.active AND p.deleted_at IS NULL AND v.deleted_at IS NULL AND s.participating, s.check_delay
		FROM ordered o
		JOIN catalogue.products p USING (product_id)
		JOIN catalogue.stores s USING (store_id)
		LEFT JOIN catalogue.variants v ON v.variant_id = o.variant_id`, pgx.NamedArgs{"ids": ids, "variants": variants, "skus": skus})
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[product])
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	products := make(map[string]product, 2*len(found))
	for _, p := range found {
		products[cmp.Or(p.VariantID, p.ID)], products[p.SKU] = p, p
	}
	return products, nil
}

// checkPickupStore returns a problem if the store of a pickup does not exist or does not participate.
func checkPickupStore(ctx context.Context, tx pgx.Tx, pickup *orderview.Pickup) error {
	if pickup == nil {
		return nil
	}
	var ok bool
	err := tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM catalogue.stores WHERE store_id = @store_id AND participating)`,
		pgx.NamedArgs{"store_id": pickup.StoreID}).Scan(&ok)
	if err != nil {
		return fmt.Errorf("read store %s: %w", pickup.StoreID, err)
	}
	if !ok {
		return problem.Invalid(problem.FieldError{Field: "pickup.store_id", Message: "is not a store of the shop"})
	}
	return nil
}

// insertOrder inserts the order, its lines, its address and the first version of its history in one statement.
// created_at is the time from which the dates of the order count, so a check without delay is due immediately.
func insertOrder(
	ctx context.Context, tx pgx.Tx, at time.Time, placed events.OrderPlaced, b Body, products map[string]product, tokenHash []byte,
) error {
	type line struct {
		events.PlacedLine
		StoreName string `json:"store_name"`
	}
	lines := make([]line, len(placed.Lines))
	for i, l := range placed.Lines {
		lines[i] = line{l, products[l.SKU].StoreName}
	}
	encoded, err := json.Marshal(lines)
	if err != nil {
		return err
	}
	err = pgbatch.Enqueue(ctx, tx, -1, `
		WITH placed AS (
			INSERT INTO orders.orders (order_id, order_number, customer_id, token_hash, status, stock, payment, version, currency, subtotal_minor,
				delivery_fee_minor, tax_minor, discount_minor, total_minor, points, payment_method, authorisation_id, pickup, locale,
				stock_check_at, payment_check_at, deadline, created_at)
			VALUES (@order_id, @order_number, nullif(@customer_id, '')::uuid, @token_hash, 'pending', 'pending', 'pending', 1, @currency, @subtotal,
				@delivery_fee, @tax, @discount, @total, @points, @payment_method, nullif(@authorisation_id, '')::uuid, @pickup::uuid IS NOT NULL, @locale,
				@stock_check_at, @payment_check_at, @deadline, @at)
			RETURNING order_id, version, status, stock, payment, reason, deadline
		), logged AS (
			INSERT INTO orders.history (order_id, version, to_status, stock, payment, reason, deadline, by, cause)
			SELECT order_id, version, status, stock, payment, reason, deadline, 'customer', 'POST /v1/orders' FROM placed
		), addressed AS (
			INSERT INTO orders.addresses (order_id, name, email, phone, country, postal_code, prefecture, region, city, address_line1, address_line2, store_id)
			VALUES (@order_id, @name, @email, @phone, @country, @postal_code, @prefecture, @region, @city, @line1, @line2, @pickup)
		)
		INSERT INTO orders.lines (order_id, line, product_id, variant_id, sku, store_id, store_name, product_name, quantity, unit_price_minor, total_minor)
		SELECT @order_id, line, product_id, variant_id, sku, store_id, store_name, name, quantity, unit_price_minor, total_minor
		FROM json_to_recordset(@lines) AS l (line integer, product_id uuid, variant_id uuid, sku text, store_id uuid, store_name text, name text,
			quantity bigint, unit_price_minor bigint, total_minor bigint)`, orderArgs(placed, b, tokenHash, at, string(encoded)))
	if err != nil {
		return fmt.Errorf("store order %s: %w", placed.OrderID, err)
	}
	return nil
}

// orderArgs returns the arguments of store; lines is JSON.
func orderArgs(placed events.OrderPlaced, b Body, tokenHash []byte, at time.Time, lines string) pgx.NamedArgs {
	var to address.Address
	if b.Address != nil {
		to = *b.Address
	}
	var pickup *string
	if b.Pickup != nil {
		pickup = &b.Pickup.StoreID
	}
	return pgx.NamedArgs{
		"order_id": placed.OrderID, "order_number": placed.OrderNumber, "customer_id": placed.CustomerID,
		"token_hash": tokenHash, "currency": placed.Currency,
		"subtotal": placed.SubtotalMinor, "delivery_fee": placed.DeliveryFeeMinor, "tax": placed.TaxMinor,
		"discount": placed.DiscountMinor, "total": placed.TotalMinor, "points": placed.Points,
		"payment_method": placed.PaymentMethod, "authorisation_id": placed.AuthorisationID, "locale": placed.Locale, "pickup": pickup,
		"stock_check_at": placed.StockCheckAt, "payment_check_at": placed.PaymentCheckAt,
		"deadline": placed.Deadline, "at": at,
		"name": cmp.Or(to.Name, b.Contact.Name), "email": b.Contact.Email, "phone": cmp.Or(to.Phone, b.Contact.Phone),
		"country": to.Country, "postal_code": to.PostalCode, "prefecture": to.Prefecture,
		"region": to.Region, "city": to.City, "line1": to.AddressLine1, "line2": to.AddressLine2, "lines": lines,
	}
}
