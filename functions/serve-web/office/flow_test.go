package office

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// Each function stands to the right of those that lead to it, and what leads back moves none.
func TestTheFlowGoesToTheRight(t *testing.T) {
	t.Parallel()
	functions := []client.Function{
		{Name: "pay", Consumes: []string{"reserved"}, Emits: []string{"paid"}},
		{Name: "place", Emits: []string{"placed"}},
		{Name: "reserve", Consumes: []string{"placed"}, Emits: []string{"reserved"}},
		{Name: "track", Consumes: []string{"reserved", "paid", "sent"}, Emits: []string{"confirmed"}},
		{Name: "ship", Consumes: []string{"confirmed"}, Emits: []string{"sent"}},
		{Name: "alone"},
	}
	d := draw(functions, client.GetFlowAnswer{Handled: []client.Arrow{{Function: "track", Type: "paid", Events: 3}}})
	x := map[string]int{}
	for _, b := range d.Boxes {
		x[b.Name] = b.X
	}
	require.Len(t, d.Boxes, 5)
	for _, pair := range [][2]string{{"place", "reserve"}, {"reserve", "pay"}, {"pay", "track"}, {"track", "ship"}} {
		require.Less(t, x[pair[0]], x[pair[1]], pair)
	}
	require.Len(t, d.Arrows, 6)
	last := d.Arrows[len(d.Arrows)-1]
	require.Equal(t, []any{int64(3), "3"}, []any{last.Events, last.Label})
}

// A filter leads to the first page and keeps the other filters.
func TestFiltersKeepEachOther(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		"/office/orders":            "/office/orders?size=50",
		"/office/orders?page=3&q=a": "/office/orders?q=a&size=50",
		"/office/orders?size=10":    "/office/orders?size=50",
	} {
		require.Equal(t, after, with(&ui.View{Path: before}, "size", "50"))
	}
	require.Equal(t, "/office/orders?page=4&q=a", with(&ui.View{Path: "/office/orders?page=3&q=a"}, "page", "4"))
}
