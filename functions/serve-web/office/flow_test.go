package office

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
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
