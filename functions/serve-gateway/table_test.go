package servegateway_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/shoptest"
)

// API-93, API-06: CSV has an address of its own, to which those are redirected who ask for it by Accept.
func TestCSVHasAnAddressOfItsOwn_API_93(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	gateway := shop.Serve(t, servegateway.Within(testSettings()))
	staff := []string{"Authorization", shop.Staff(t)}
	for _, path := range []string{"/v1/products", "/v1/stores/" + shoptest.TheStore + "/products", "/v1/orders", "/v1/users", "/v1/mails"} {
		list, _ := call(t, http.MethodGet, gateway+path+"?limit=1", "", append(staff, "Accept", "text/csv;q=0.1, application/json")...)
		require.Equal(t, "application/json", list.Header.Get("Content-Type"), path)
		table, text := call(t, http.MethodGet, gateway+path+".csv?limit=1", "", append(staff, "Accept", "application/json")...)
		require.Equal(t, []any{http.StatusOK, "text/csv"}, []any{table.StatusCode, table.Header.Get("Content-Type")}, path)
		followed, same := call(t, http.MethodGet, gateway+path+"?limit=1", "", append(staff, "Accept", "text/csv")...)
		require.Equal(t, path+".csv?limit=1", followed.Request.URL.RequestURI())
		require.Equal(t, text, same)
	}
}
