package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/cli"
	"github.com/popup-shop/popup/internal/money"
)

// findStore returns the id of a store that is given by its id or its name.
func findStore(ctx context.Context, shop *client.Client, name string) (string, error) {
	return findByName(ctx, "store", name, shop.ListStores, func(s client.Store) (string, string) { return s.ID, s.Name })
}

// findWarehouse returns the id of a warehouse that is given by its id or its name; no name has no id.
func findWarehouse(ctx context.Context, shop *client.Client, name string) (string, error) {
	named := func(w client.Warehouse) (string, string) { return w.ID, w.Name }
	return findByName(ctx, "warehouse", name, shop.ListWarehouses, named)
}

// findUser returns the id of a user who is given by the id or the e-mail address.
func findUser(ctx context.Context, shop *client.Client, name string) (string, error) {
	list := func(ctx context.Context, paging client.Paging, options ...client.Option) (client.Page[client.User], error) {
		return shop.ListUsers(ctx, client.ListUsersQuery{Paging: paging, Q: name}, options...)
	}
	return findByName(ctx, "user", name, list, func(u client.User) (string, string) { return u.ID, u.Email })
}

// findOrder returns the id of an order that is given by its id or its number.
func findOrder(ctx context.Context, shop *client.Client, name string) (string, error) {
	list := func(ctx context.Context, paging client.Paging, options ...client.Option) (client.Page[client.Order], error) {
		return shop.ListOrders(ctx, client.ListOrdersQuery{Paging: paging, Number: strings.ToUpper(name)}, options...)
	}
	return findByName(ctx, "order", name, list, func(o client.Order) (string, string) { return o.ID, o.Number })
}

// findProduct returns the id of a product that is given by its id or by a SKU of it or of a variant.
func findProduct(ctx context.Context, shop *client.Client, name string) (string, error) {
	if uuid.Validate(name) == nil {
		return name, nil
	}
	page, err := shop.ListStock(ctx, client.ListStockQuery{SKU: name})
	if err != nil {
		return "", err
	}
	for _, level := range page.Items {
		if level.ProductID != "" {
			return level.ProductID, nil
		}
	}
	return "", fmt.Errorf("product %q does not exist", name)
}

// findCategory returns the id of a category that is given by its id or its names from the top; no name has no id.
func findCategory(ctx context.Context, shop *client.Client, path string) (string, error) {
	if path == "" || uuid.Validate(path) == nil {
		return path, nil
	}
	paths, err := categoryPaths(ctx, shop)
	if err != nil {
		return "", err
	}
	for id, found := range paths {
		if strings.EqualFold(found, path) {
			return id, nil
		}
	}
	return "", fmt.Errorf("category %q does not exist", path)
}

// findByName returns the id of an item of a list that is given by its id or its name; no name has no id.
func findByName[T any](
	ctx context.Context, what, name string,
	list func(context.Context, client.Paging, ...client.Option) (client.Page[T], error), named func(T) (id, name string),
) (string, error) {
	if name == "" || uuid.Validate(name) == nil {
		return name, nil
	}
	for page, pages := int64(1), int64(1); page <= pages; page++ {
		got, err := list(ctx, client.Paging{Page: page, Limit: 100})
		if err != nil {
			return "", err
		}
		for _, item := range got.Items {
			if id, found := named(item); strings.EqualFold(found, name) {
				return id, nil
			}
		}
		pages = got.TotalPages
	}
	return "", fmt.Errorf("%s %q does not exist", what, name)
}

// price is a price on the command line: in units of its currency, or in minor units.
type price struct {
	Price    string `xor:"price" placeholder:"25.00" help:"Price, with the decimals of its currency."`
	Minor    *int64 `name:"price-minor" xor:"price" placeholder:"2500" help:"Price in minor units."`
	Currency string `placeholder:"EUR" help:"Currency of the price (ISO 4217)."`
}

// given reports whether the command line has a price.
func (p price) given() bool { return p.Price != "" || p.Minor != nil }

// amount returns the price, with what is not given from another one.
func (p price) amount(before client.Amount) (client.Amount, error) {
	if p.Currency != "" {
		before.Currency = strings.ToUpper(p.Currency)
	}
	switch {
	case p.Minor != nil:
		before.Minor = *p.Minor
	case p.Price != "":
		parsed, err := money.Parse(p.Price, before.Currency)
		if err != nil {
			return before, cli.Usage("--price: %v", err)
		}
		before.Minor = parsed.Minor
	}
	return before, nil
}

// decimal returns an amount for people.
func decimal(a client.Amount) string { return money.Amount(a).String() }
