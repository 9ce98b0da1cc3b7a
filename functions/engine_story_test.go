package functions_test

import (
	"bufio"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/shoptest"
)

// API-81, API-96.
func (d *day) staffWatchesTheEngine() {
	ctx, staff := d.t.Context(), d.as("staff")
	placed := ok(d.visitor.PlaceOrder(ctx, oneCap(), client.Wait(0)))(d.t)
	opened := ok(d.visitor.OpenOrder(ctx, placed.Number, client.OpenOrderRequest{OrderToken: placed.OrderToken}))(d.t)
	require.Equal(d.t, placed.ID, opened.ID)
	listed := ok(staff.ListEvents(ctx, client.ListEventsQuery{OrderID: placed.ID, Wait: 10}))(d.t)
	require.Equal(d.t, "order.placed", listed.Items[0].Type)
	bearer := []string{"Authorization", d.Staff(d.t)}
	require.Contains(d.t, d.firstLine("/v1/events/stream?order_id="+placed.ID, bearer...), "retry:")
	require.Contains(d.t, d.firstLine("/v1/orders/"+placed.ID+"/stream", "Popup-Order-Token", placed.OrderToken), "retry:")
}

// firstLine opens a stream and returns its first line.
func (d *day) firstLine(path string, headers ...string) string {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.address+path, nil)
	require.NoError(d.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(d.t, err)
	defer response.Body.Close()
	operation := shoptest.CheckResponse(d.t, r, response.StatusCode, response.Header, nil)
	d.answered[operation] = response.StatusCode == http.StatusOK
	line, err := bufio.NewReader(response.Body).ReadString('\n')
	require.NoError(d.t, err)
	return strings.TrimSpace(line)
}
