package web

import (
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/attribute"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/tracing"
)

// traceMiddleware makes each request a span of its function, and sends the spans before the request is done.
func traceMiddleware(rt *function.Runtime, name string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if rt.Tracer == nil {
			next(ctx)
			return
		}
		operation := ctx.Operation()
		inner, span := rt.Tracer.Start(ctx.Context(), name, operation.Method+" "+operation.Path, tracing.Server,
			attribute.String("http.request.method", operation.Method), attribute.String("http.route", operation.Path))
		defer func() {
			span.Set(attribute.Int("http.response.status_code", ctx.Status()))
			span.End(statusError(ctx.Status()))
			rt.Tracer.Flush(inner)
		}()
		next(huma.WithContext(ctx, inner))
	}
}

// statusError returns an error for a response that is one of the server.
func statusError(status int) error {
	if status < http.StatusInternalServerError {
		return nil
	}
	return fmt.Errorf("status %d", status)
}
