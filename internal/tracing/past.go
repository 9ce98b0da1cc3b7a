package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/popup-shop/popup/config"
)

// PastSpan is a span that ended before this program began, such as the handling of an event that the event store has.
type PastSpan struct {
	TraceID, SpanID, ParentID string
	Function, Name            string
	Kind                      Kind
	Start, End                time.Time
	Attributes                []attribute.KeyValue
}

// SendPast sends spans to a collector.
func SendPast(ctx context.Context, settings config.Tracing, spans []PastSpan) error {
	var traces otlpTraces
	ofFunction := map[string]*otlpResourceSpans{}
	for _, span := range spans {
		of := ofFunction[span.Function]
		if of == nil {
			service := encodeAttributes([]attribute.KeyValue{attribute.String("service.name", span.Function)})
			of = &otlpResourceSpans{Resource: otlpResource{service}, ScopeSpans: []otlpScopeSpans{{Scope: otlpScope{"popup"}}}}
			ofFunction[span.Function] = of
			traces.ResourceSpans = append(traces.ResourceSpans, of)
		}
		of.ScopeSpans[0].Spans = append(of.ScopeSpans[0].Spans, otlpSpan{
			TraceID: span.TraceID, SpanID: span.SpanID, ParentSpanID: span.ParentID, Name: span.Name, Kind: otlpKind(span.Kind),
			Start: nanoseconds(span.Start), End: nanoseconds(span.End), Attributes: encodeAttributes(span.Attributes),
		})
	}
	return newExporter(settings).post(ctx, traces)
}
