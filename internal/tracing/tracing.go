// Package tracing makes the spans of an order: one for each function, each message to the database and each call of an
// outside service, all in one trace. The trace travels as the W3C traceparent of calls and events. Spans are sent to a
// collector over OTLP/HTTP before the request or event that they belong to is done, since a function may be stopped at
// any time after that.
package tracing

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/logging"
)

// Kind is what a span stands for.
type Kind = trace.SpanKind

// The kinds.
const (
	Server   = trace.SpanKindServer   // an HTTP request to a function
	Consumer = trace.SpanKindConsumer // an event that a function handles
	Client   = trace.SpanKindClient   // a call of something outside
)

// Tracer makes spans and sends them. A nil Tracer does nothing.
type Tracer struct {
	queue    queue
	services sync.Map // the trace.Tracer of each function, by name
}

// New returns a tracer that sends spans to a collector, or nil when the settings name none.
func New(settings config.Tracing) *Tracer {
	if settings.Endpoint == "" {
		return nil
	}
	return &Tracer{queue: queue{exporter: newExporter(settings)}}
}

// Span is a span that has begun. A nil Span does nothing.
type Span struct{ span trace.Span }

// Start starts a span of a function. It is a child of the span whose traceparent ctx has; the traceparent of the
// returned context is its own.
func (t *Tracer) Start(
	ctx context.Context, function, name string, kind Kind, attributes ...attribute.KeyValue,
) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	parent := trace.ContextWithRemoteSpanContext(ctx, parse(cloudevent.Trace(ctx)))
	_, span := t.service(function).Start(parent, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	ctx = context.WithValue(ctx, functionKey{}, function)
	return cloudevent.WithTrace(ctx, traceparent(span.SpanContext())), &Span{span}
}

// functionKey is the key of the function whose span a context has.
type functionKey struct{}

// service returns the tracer of a function, which collectors show as a service of its own.
func (t *Tracer) service(function string) trace.Tracer {
	if known, ok := t.services.Load(function); ok {
		return known.(trace.Tracer)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(&t.queue),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", function),
			attribute.String("service.namespace", "popup"),
			attribute.String("service.version", logging.Version()))),
	)
	known, _ := t.services.LoadOrStore(function, provider.Tracer("github.com/popup-shop/popup"))
	return known.(trace.Tracer)
}

// Set adds an attribute.
func (s *Span) Set(attribute attribute.KeyValue) {
	if s != nil {
		s.span.SetAttributes(attribute)
	}
}

// End ends the span. Its status is an error if err is one.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, logging.Redact(err.Error()))
	}
	s.span.End()
}

// Flush returns when all spans that have ended are with the collector, or given up.
func (t *Tracer) Flush(ctx context.Context) {
	if t != nil {
		_ = t.queue.ForceFlush(ctx)
	}
}

// parse returns the span that a traceparent names, or none.
func parse(traceparent string) (none trace.SpanContext) {
	traceID, spanID, ok := cloudevent.SplitTrace(traceparent)
	if !ok {
		return none
	}
	of, err1 := trace.TraceIDFromHex(traceID)
	span, err2 := trace.SpanIDFromHex(spanID)
	if errors.Join(err1, err2) != nil {
		return none
	}
	flags, _ := strconv.ParseUint(traceparent[len(traceparent)-2:], 16, 8)
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: of, SpanID: span, TraceFlags: trace.TraceFlags(flags) & trace.FlagsSampled, Remote: true,
	})
}

func traceparent(c trace.SpanContext) string {
	return "00-" + c.TraceID().String() + "-" + c.SpanID().String() + "-" + c.TraceFlags().String()
}

// groupKey is the key of the contexts of a group.
type groupKey struct{}

// Group returns a context for work that is done for several events at once. What is sent to the database with it is a
// span of each of their traces.
func Group(ctx context.Context, members []context.Context) context.Context {
	return context.WithValue(ctx, groupKey{}, members)
}

func members(ctx context.Context) []context.Context {
	if all, ok := ctx.Value(groupKey{}).([]context.Context); ok {
		return all
	}
	return []context.Context{ctx}
}
