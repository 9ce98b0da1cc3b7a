package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/ordertrace"
	"github.com/popup-shop/popup/internal/printer"
	"github.com/popup-shop/popup/internal/tracing"
)

type traceCommand struct {
	database
	Order string `arg:"" help:"Number or id of the order."`
	OTLP  string `name:"otlp" placeholder:"http://localhost:4318" help:"Send the trace to this collector as well (OTLP as JSON over HTTP)."`
}

// Run draws each step of an order below its cause.
func (c *traceCommand) Run(ctx context.Context, out *printer.Printer) error {
	steps, orderID, err := c.read(ctx)
	if err != nil {
		return err
	}
	if c.OTLP != "" {
		if err := tracing.SendPast(ctx, config.Tracing{Endpoint: c.OTLP}, spans(orderID, steps)); err != nil {
			return fmt.Errorf("send the trace to %s: %w", c.OTLP, err)
		}
	}
	type step = ordertrace.Step
	scale := newTimeline(steps)
	return printer.List(
		out, steps,
		printer.Column[step]{Name: "start", Cell: func(s step) any { return s.Start.Sub(scale.begin).Round(time.Millisecond) }},
		printer.Column[step]{Name: "until_next", Cell: func(s step) any { return duration(s) }},
		printer.Column[step]{Name: "time", Cell: func(s step) any { return scale.bar(s) }},
		printer.Column[step]{Name: "step", Cell: func(s step) any { return strings.Repeat("  ", s.Depth) + describe(s) }},
	)
}

// read returns the steps of the order and its id.
func (c *traceCommand) read(ctx context.Context) (steps []ordertrace.Step, orderID string, err error) {
	pool, err := c.open(ctx)
	if err != nil {
		return nil, "", err
	}
	defer pool.Close()
	if orderID, err = findOrder(ctx, pool, c.Order); err != nil {
		return nil, "", err
	}
	steps, err = ordertrace.Read(ctx, pool, orderID)
	if err == nil && len(steps) == 0 {
		err = fmt.Errorf("order %q has no events", c.Order)
	}
	return steps, orderID, err
}

// describe returns what a step did, such as reserve-stock: order.placed → stock.reserved.
func describe(s ordertrace.Step) string {
	text := s.Function
	if s.Event != "" {
		text += ": " + s.Event
	}
	if len(s.Emits) > 0 {
		text += " → " + strings.Join(s.Emits, ", ")
	}
	switch s.State {
	case eventstore.Waiting:
		text += " (waiting)"
	case eventstore.DeadLettered:
		text += " (dead letter: " + s.Reason + ")"
	}
	return text
}

// duration returns how long it took until the next step, or "" if there is none.
func duration(s ordertrace.Step) string {
	if s.End == nil {
		return ""
	}
	return s.End.Sub(s.Start).Round(time.Millisecond).String()
}

// timeline draws times as bars of a fixed width.
type timeline struct {
	begin time.Time
	whole time.Duration
}

const barWidth = 24

func newTimeline(steps []ordertrace.Step) (l timeline) {
	l.begin = steps[0].Start
	last := l.begin
	for _, s := range steps {
		if s.Start.Before(l.begin) {
			l.begin = s.Start
		}
		if s.Start.After(last) {
			last = s.Start
		}
	}
	l.whole = max(last.Sub(l.begin), time.Nanosecond)
	return l
}

// bar returns the time from a step until the next one, or a mark where none followed.
func (l timeline) bar(s ordertrace.Step) string {
	at := func(t time.Time) int { return int((barWidth - 1) * t.Sub(l.begin) / l.whole) }
	from := at(s.Start)
	if s.End == nil {
		return strings.Repeat("·", from) + "▏" + strings.Repeat("·", barWidth-1-from)
	}
	width := at(*s.End) - from + 1
	return strings.Repeat("·", from) + strings.Repeat("█", width) + strings.Repeat("·", barWidth-from-width)
}

// spans returns the steps that have happened as a collector takes them.
func spans(orderID string, steps []ordertrace.Step) (all []tracing.PastSpan) {
	for _, s := range steps {
		if s.State != eventstore.Handled {
			continue
		}
		span := tracing.PastSpan{
			TraceID: s.TraceID, SpanID: s.SpanID, ParentID: s.ParentID, Function: s.Function, Name: s.Function,
			Kind: tracing.Server, Start: s.Start, End: s.Start, Attributes: []attribute.KeyValue{attribute.String("popup.order_id", orderID)},
		}
		if s.End != nil {
			span.End = *s.End
		}
		if s.Event != "" {
			span.Kind = tracing.Consumer
			span.Name += " " + s.Event
			span.Attributes = append(span.Attributes, attribute.String("cloudevents.event_id", s.EventID),
				attribute.String("cloudevents.event_type", s.Event))
		}
		all = append(all, span)
	}
	return all
}
