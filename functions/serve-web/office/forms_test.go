package office_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// What is wrong with a part of a product is shown, and what was typed stays.
func TestWrongPartsOfAProductAreShown(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	path := "/office/products/" + productID(t, shop, shoptest.Cap)
	for _, c := range []struct {
		act    string
		pairs  []string
		shows  []string
		status int
	}{
		{"picture", []string{"alt", "A cap"}, []string{"Choose a file.", "A cap"}, http.StatusUnprocessableEntity},
		{"variant", []string{"variant_name", "wide", "variant_sku", "W", "variant_price", "dear", "currency", "EUR"}, []string{"wide", "dear"}, http.StatusUnprocessableEntity},
		{"variant", []string{"variant_name", "", "variant_sku", "KEPT"}, []string{"Please check", "KEPT"}, http.StatusUnprocessableEntity},
		{"paint", nil, nil, http.StatusNotFound},
	} {
		page := staff.Post(t, path+"/"+c.act, c.pairs...)
		require.Equal(t, c.status, page.Status, c.act)
		require.NotContains(t, page.HTML, "Saved.")
		for _, text := range c.shows {
			require.Contains(t, page.HTML, text, c.act)
		}
	}
	require.Equal(t, http.StatusNotFound, staff.Post(t, "/office/stores/"+shoptest.TheStore+"/paint").Status)
	require.Equal(t, http.StatusNotFound, staff.Post(t, "/office/orders/"+shop.OrderIn(t, "pending").ID+"/paint").Status)
}

// A new product is on sale unless staff chooses otherwise, wherever its form was opened from.
func TestANewProductIsOnSaleByDefault(t *testing.T) {
	t.Parallel()
	_, staff := open(t, token.Staff)
	for _, path := range []string{"/office/products/new", "/office/products/new?store_id=" + shoptest.TheStore} {
		require.Contains(t, staff.Get(t, path).HTML, `name="active" checked`, path)
	}
	off := staff.Post(t, "/office/products/new", "name", "Hat", "sku", "HAT-1", "price", "25.00", "currency", "EUR", "store_id", shoptest.TheStore)
	require.Contains(t, off.Text, "Off sale")
}

// WEB-49: a text of 20,000 letters of any script fits into its form, and a form that is too large is refused.
func TestLongTextsFitIntoTheirForms_WEB_49(t *testing.T) {
	t.Parallel()
	_, admin := open(t, token.Admin)
	const path = "/office/settings/texts/returns"
	saved := admin.Post(t, path, "en.description", "", "ja.description", strings.Repeat("返", 20_000))
	require.Contains(t, saved.HTML, "Saved.")
	require.Equal(t, http.StatusRequestEntityTooLarge, admin.Post(t, path, "en.description", strings.Repeat("x", 2<<20)).Status)
}

// A shop that does not answer is not a fault of the table that was uploaded.
func TestAnImportReportsWhenTheShopIsBusy(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	tx, err := shop.Pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `LOCK catalogue.stores`)
	require.NoError(t, err)
	page := staff.Post(t, "/office/products/import", "table",
		"sku,name,description,price_minor,currency,category,tags,store,active\nHAT-1,Hat,,2900,EUR,,,Tide & Thread,true\n")
	require.NoError(t, tx.Rollback(t.Context()))
	require.Equal(t, http.StatusServiceUnavailable, page.Status)
}
