package tracing_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/tracing"
)

// A collector that fails must not make each request of the shop wait for it.
func TestACollectorThatFailsIsLeftAloneForAWhile(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(collector.Close)
	tracer := tracing.New(config.Tracing{Endpoint: collector.URL})
	for range 10 {
		_, span := tracer.Start(t.Context(), "place-order", "test", tracing.Server)
		span.End(nil)
		tracer.Flush(t.Context())
	}
	require.Equal(t, int64(1), requests.Load())
}

// A caller's decision not to sample is kept, and its trace goes on all the same.
func TestATraceThatIsNotSampledIsNotSent(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	t.Cleanup(collector.Close)
	tracer := tracing.New(config.Tracing{Endpoint: collector.URL})
	for flags, want := range map[string]int64{"00": 0, "01": 1} {
		requests.Store(0)
		ctx := cloudevent.WithTrace(t.Context(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"+flags)
		ctx, span := tracer.Start(ctx, "place-order", "test", tracing.Server)
		require.Regexp(t, "^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-"+flags+"$", cloudevent.Trace(ctx))
		require.NotContains(t, cloudevent.Trace(ctx), "b7ad6b7169203331", "a span of its own")
		span.End(nil)
		tracer.Flush(t.Context())
		require.Equal(t, want, requests.Load(), flags)
	}
}

func TestWithoutACollectorThereIsNoTracer(t *testing.T) {
	t.Parallel()
	tracer := tracing.New(config.Tracing{})
	require.Nil(t, tracer)
	ctx, span := tracer.Start(t.Context(), "place-order", "test", tracing.Server)
	require.Equal(t, t.Context(), ctx)
	span.End(nil)
	tracer.Flush(ctx)
	require.Nil(t, tracer.Counter().Observe)
}
