package local_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
)

// span is a span as a collector receives it.
type span struct {
	Service                             string
	TraceID, SpanID, ParentSpanID, Name string
	Kind                                int
	StartTimeUnixNano, EndTimeUnixNano  string
}

// collector receives spans as OTLP over HTTP.
type collector struct {
	url   string
	mu    sync.Mutex
	spans []span
}

func openCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Tenant") != "shop" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.receive(t, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *collector) receive(t *testing.T, r *http.Request) {
	var body struct {
		ResourceSpans []struct {
			Resource struct {
				Attributes []struct {
					Key   string
					Value struct{ StringValue string }
				}
			}
			ScopeSpans []struct{ Spans []span }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		t.Error(err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range body.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				for _, attribute := range resource.Resource.Attributes {
					if attribute.Key == "service.name" {
						s.Service = attribute.Value.StringValue
					}
				}
				c.spans = append(c.spans, s)
			}
		}
	}
}

// trace returns the spans of a trace.
func (c *collector) trace(id string) (spans []span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.TraceID == id {
			spans = append(spans, s)
		}
	}
	return spans
}

// childOf returns the span of a service under a parent whose name begins so.
func childOf(spans []span, parent, service, name string) (found span, ok bool) {
	i := slices.IndexFunc(spans, func(s span) bool {
		return s.ParentSpanID == parent && s.Service == service && strings.HasPrefix(s.Name, name)
	})
	if i < 0 {
		return span{}, false
	}
	return spans[i], true
}

// OPS-47: one trace per order, although functions handle several orders in one transaction.
func TestEachOrderIsOneTrace(t *testing.T) {
	t.Parallel()
	c := openCollector(t)
	s := open(t, func(o *local.Options, _ *functions.Settings) {
		o.Tracing.Endpoint, o.Tracing.Headers = c.url, []string{"tenant=shop"}
	})
	const orders = 8
	ids := make([]string, orders)
	var placing sync.WaitGroup
	for i := range orders {
		placing.Go(func() { ids[i] = s.place(orderOf(1, "TEE-DROP-01")).ID })
	}
	placing.Wait()
	s.settle(time.Minute)
	for _, id := range ids {
		requireOneTrace(t, s, c, id)
	}
}

func requireOneTrace(t *testing.T, s *shop, c *collector, orderID string) {
	t.Helper()
	traces := s.count(`SELECT count(DISTINCT split_part(traceparent, '-', 2)) FROM bus.event WHERE order_id = $1`, orderID)
	require.Equal(t, 1, traces, "traces of the events of an order")
	var id string
	err := s.Pool.QueryRow(t.Context(), `
		SELECT split_part(traceparent, '-', 2) FROM bus.event WHERE order_id = $1 AND type = 'order.placed'`, orderID).Scan(&id)
	require.NoError(t, err)
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		spans := c.trace(id)
		gateway, ok := childOf(spans, "", "serve-gateway", "POST /v1/orders")
		assert.True(collect, ok, "the gateway begins the trace")
		place, ok := childOf(spans, gateway.SpanID, "place-order", "POST /v1/orders")
		assert.True(collect, ok, "gateway -> place-order")
		_, ok = childOf(spans, place.SpanID, "place-order", "BEGIN; ")
		assert.True(collect, ok, "place-order -> database")
		reserve, ok := childOf(spans, place.SpanID, "reserve-stock", "reserve-stock order.placed")
		assert.True(collect, ok, "place-order -> reserve-stock")
		_, ok = childOf(spans, reserve.SpanID, "reserve-stock", "BEGIN; ")
		assert.True(collect, ok, "reserve-stock -> database")
		_, ok = childOf(spans, reserve.SpanID, "create-payment", "create-payment stock.reserved")
		assert.True(collect, ok, "reserve-stock -> create-payment")
		mail := slices.IndexFunc(spans, func(s span) bool { return s.Service == "send-email" && s.Name == "send-email call" })
		assert.GreaterOrEqual(collect, mail, 0, "the call of the mail server")
		requireTree(collect, spans)
	}, 10*time.Second, 100*time.Millisecond)
}

// requireTree requires that every span but the first has its parent in the trace, and ends after it has begun.
func requireTree(t assert.TestingT, spans []span) {
	known := map[string]bool{"": true}
	for _, s := range spans {
		assert.False(t, known[s.SpanID], "two spans with one id")
		known[s.SpanID] = true
	}
	roots := 0
	for _, s := range spans {
		assert.True(t, known[s.ParentSpanID], "%s %s has no parent", s.Service, s.Name)
		assert.LessOrEqual(t, s.StartTimeUnixNano, s.EndTimeUnixNano, s.Name)
		if s.ParentSpanID == "" {
			roots++
		}
	}
	assert.Equal(t, 1, roots, "roots")
}
