package table_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// A filter leads to the first page and keeps the other filters.
func TestFiltersKeepEachOther(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		"/office/orders":            "/office/orders?size=5",
		"/office/orders?page=3&q=a": "/office/orders?q=a&size=5",
		"/office/orders?size=10":    "/office/orders?size=5",
	} {
		require.Equal(t, after, table.Link(&ui.View{Path: before}, "size", "5"))
	}
	require.Equal(t, "/office/orders?page=4&q=a", table.Link(&ui.View{Path: "/office/orders?page=3&q=a"}, "page", "4"))
}
