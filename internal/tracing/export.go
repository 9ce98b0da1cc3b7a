package tracing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/popup-shop/popup/config"
)

const (
	exportTimeout = time.Second      // a function's caller waits for it
	exportPause   = 10 * time.Second // after a failed export; spans are dropped meanwhile
	maxQueued     = 10_000           // spans; more are dropped
)

// queue keeps spans that have ended until they are flushed. It implements [sdktrace.SpanProcessor].
type queue struct {
	exporter *exporter
	flushing sync.Mutex // held while spans are sent: a flush waits for the spans that another one took

	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
}

// OnStart does nothing.
func (*queue) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd adds a span.
func (q *queue) OnEnd(span sdktrace.ReadOnlySpan) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.spans) < maxQueued {
		q.spans = append(q.spans, span)
	}
}

// Shutdown sends what is left.
func (q *queue) Shutdown(ctx context.Context) error { return q.ForceFlush(ctx) }

// ForceFlush sends all spans that have ended.
func (q *queue) ForceFlush(ctx context.Context) error {
	q.flushing.Lock()
	defer q.flushing.Unlock()
	q.mu.Lock()
	spans := q.spans
	q.spans = nil
	q.mu.Unlock()
	if len(spans) == 0 {
		return nil
	}
	return q.exporter.export(ctx, spans)
}

// exporter sends spans as OTLP in JSON over HTTP.
type exporter struct {
	url    string
	header http.Header
	client http.Client
	paused time.Time // until when nothing is sent; guarded by queue.flushing
}

func newExporter(settings config.Tracing) *exporter {
	e := &exporter{url: strings.TrimRight(settings.Endpoint, "/") + "/v1/traces", header: http.Header{}}
	for name, value := range settings.Header() {
		e.header.Set(name, value)
	}
	e.header.Set("Content-Type", "application/json")
	e.client.Timeout = exportTimeout
	return e
}

var errPaused = errors.New("the collector did not accept spans a moment ago")

// export sends spans. After a failure it sends none for a while: a collector that is away must not slow the shop down.
func (e *exporter) export(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if time.Now().Before(e.paused) {
		return errPaused
	}
	err := e.post(context.WithoutCancel(ctx), encode(spans))
	if err != nil {
		e.paused = time.Now().Add(exportPause)
	}
	return err
}

func (e *exporter) post(ctx context.Context, traces otlpTraces) error {
	body, err := json.Marshal(traces)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = e.header.Clone()
	response, err := e.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection is used again
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("send spans: the collector responded %s", response.Status)
	}
	return nil
}

// The messages of OTLP, as far as they are used.
type (
	otlpTraces struct {
		ResourceSpans []*otlpResourceSpans `json:"resourceSpans"`
	}
	otlpResourceSpans struct {
		Resource   otlpResource     `json:"resource"`
		ScopeSpans []otlpScopeSpans `json:"scopeSpans"`
	}
	otlpResource struct {
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpScopeSpans struct {
		Scope otlpScope  `json:"scope"`
		Spans []otlpSpan `json:"spans"`
	}
	otlpScope struct {
		Name string `json:"name"`
	}
	otlpSpan struct {
		TraceID      string          `json:"traceId"`
		SpanID       string          `json:"spanId"`
		ParentSpanID string          `json:"parentSpanId,omitempty"`
		Name         string          `json:"name"`
		Kind         int             `json:"kind"`
		Start        string          `json:"startTimeUnixNano"`
		End          string          `json:"endTimeUnixNano"`
		Attributes   []otlpAttribute `json:"attributes,omitempty"`
		Status       otlpStatus      `json:"status"`
	}
	otlpAttribute struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
	otlpStatus struct {
		Code    int    `json:"code,omitempty"`
		Message string `json:"message,omitempty"`
	}
)

// encode returns spans as OTLP, grouped by the resource that made them.
func encode(spans []sdktrace.ReadOnlySpan) otlpTraces {
	var traces otlpTraces
	byResource := map[attribute.Distinct]*otlpResourceSpans{}
	for _, span := range spans {
		key := span.Resource().Equivalent()
		of := byResource[key]
		if of == nil {
			of = &otlpResourceSpans{
				Resource:   otlpResource{encodeAttributes(span.Resource().Attributes())},
				ScopeSpans: []otlpScopeSpans{{Scope: otlpScope{span.InstrumentationScope().Name}}},
			}
			byResource[key] = of
			traces.ResourceSpans = append(traces.ResourceSpans, of)
		}
		of.ScopeSpans[0].Spans = append(of.ScopeSpans[0].Spans, encodeSpan(span))
	}
	return traces
}

func encodeSpan(span sdktrace.ReadOnlySpan) otlpSpan {
	encoded := otlpSpan{
		TraceID: span.SpanContext().TraceID().String(), SpanID: span.SpanContext().SpanID().String(), Name: span.Name(),
		Kind: otlpKind(span.SpanKind()), Start: nanoseconds(span.StartTime()), End: nanoseconds(span.EndTime()),
		Attributes: encodeAttributes(span.Attributes()),
	}
	if span.Parent().HasSpanID() {
		encoded.ParentSpanID = span.Parent().SpanID().String()
	}
	if span.Status().Code == codes.Error {
		encoded.Status = otlpStatus{2, span.Status().Description}
	}
	return encoded
}

// otlpKind returns the number of a kind: OTLP has the same order, beginning with SPAN_KIND_UNSPECIFIED.
func otlpKind(kind trace.SpanKind) int { return int(kind) }

func nanoseconds(at time.Time) string { return strconv.FormatInt(at.UnixNano(), 10) }

func encodeAttributes(attributes []attribute.KeyValue) []otlpAttribute {
	encoded := make([]otlpAttribute, len(attributes))
	for i, a := range attributes {
		encoded[i] = otlpAttribute{Key: string(a.Key)}
		switch a.Value.Type() {
		case attribute.INT64:
			encoded[i].Value = map[string]any{"intValue": strconv.FormatInt(a.Value.AsInt64(), 10)}
		case attribute.BOOL:
			encoded[i].Value = map[string]any{"boolValue": a.Value.AsBool()}
		default:
			encoded[i].Value = map[string]any{"stringValue": a.Value.String()}
		}
	}
	return encoded
}
