package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
)

// span is a span as a collector receives it.
type span struct {
	TraceID, SpanID, ParentSpanID, Name string
	Start                               string `json:"startTimeUnixNano"`
	End                                 string `json:"endTimeUnixNano"`
}

// collector receives traces, OTLP as JSON over HTTP.
type collector struct {
	url   string
	spans []span
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var traces struct {
			ResourceSpans []struct {
				ScopeSpans []struct{ Spans []span }
			}
		}
		body, err := io.ReadAll(r.Body)
		if r.URL.Path != "/v1/traces" || err != nil || json.Unmarshal(body, &traces) != nil {
			t.Errorf("%s: %s", r.URL, body)
			return
		}
		for _, resource := range traces.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// TRM-35, N4: the trace of an order has a span for each handling in the event store, below the one that caused it.
func TestTraceDrawsAndSendsTheEventsOfAnOrder_TRM_35(t *testing.T) {
	p := newProgram(t)
	p.start()
	placed, err := p.shop().PlaceOrder(t.Context(), cup(), client.Wait(10*time.Second))
	require.NoError(t, err)
	p.completed(placed.ID, time.Minute)
	handlings := `SELECT 1 FROM bus.inbox i JOIN bus.event e USING (event_id) WHERE e.order_id = '` + placed.ID + `'`
	var handled int64
	require.Eventually(t, func() bool { // the mails come last
		before := handled
		handled = p.update(handlings)
		return handled > 0 && handled == before
	}, time.Minute, time.Second)

	c := newCollector(t)
	out, err := p.popup("trace", placed.Number, "--otlp", c.url)
	require.NoError(t, err, out)
	require.Regexp(t, `(?m)^0s .*█.* place-order → order\.placed$`, out)
	require.Regexp(t, `(?m) {2}reserve-stock: order\.placed → stock\.reserved$`, out)
	require.Regexp(t, `(?m) {4}create-payment: stock\.reserved → payment`, out)
	drawn := strings.Count(out, "\n") - 1
	require.Len(t, c.spans, drawn)
	byID, names := map[string]span{}, map[string]span{}
	roots := 0
	for _, s := range c.spans {
		require.Equal(t, c.spans[0].TraceID, s.TraceID, "one trace")
		require.NotContains(t, byID, s.SpanID, "each handling has a span of its own: %s", s.Name)
		require.LessOrEqual(t, s.Start, s.End)
		byID[s.SpanID], names[s.Name] = s, s
		if s.ParentSpanID == "" {
			roots++
		}
	}
	require.EqualValues(t, handled, len(c.spans)-roots, "a span for each handling, and no other: %s", out)
	for _, s := range c.spans {
		if s.ParentSpanID != "" {
			require.Contains(t, byID, s.ParentSpanID, s.Name)
			require.LessOrEqual(t, byID[s.ParentSpanID].Start, s.Start, "a cause comes first")
		}
	}
	require.Equal(t, names["place-order"].SpanID, names["reserve-stock order.placed"].ParentSpanID)
	require.Equal(t, names["reserve-stock order.placed"].SpanID, names["create-payment stock.reserved"].ParentSpanID)

	traces := p.update(`SELECT DISTINCT traceparent FROM bus.event WHERE order_id = '` + placed.ID + `'`)
	steps := p.update(`SELECT DISTINCT source, causation_id FROM bus.event WHERE order_id = '` + placed.ID + `'`)
	require.Equal(t, steps, traces, "what each handling emits has a span id of its own")
	out, err = p.popup("trace", "ORD-20260131-AAAAAA")
	require.Error(t, err)
	require.Equal(t, "popup: order \"ORD-20260131-AAAAAA\" does not exist\n", out)
}
