package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cli"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/legacyevent"
	"github.com/popup-shop/popup/internal/printer"
)

type eventsCommand struct {
	Tail   tailCommand   `cmd:"" default:"withargs" help:"Show events as they are emitted, or all events of one order."`
	Send   sendCommand   `cmd:"" help:"Send an event to the shop, as if a function had emitted it."`
	Replay replayCommand `cmd:"" help:"Deliver past events to a function that has not handled them."`
	Drop   dropCommand   `cmd:"" help:"Drop the log of a month once all its events are delivered."`
}

type tailCommand struct {
	database
	Order string        `help:"Show only events of this order (id or number), and exit unless --follow is given."`
	Type  string        `predictor:"types" help:"Show only events of this type, such as order.placed."`
	Since time.Duration `help:"Start this long ago instead of now."`
	Alias bool          `help:"Print events in their legacy formats, one JSON object per line."`

	Follow bool `help:"Continue with new events."`
}

// Run prints events. Consumers receive them all the same. With JSON, the events of one order are a list, and new events one
// object per line.
func (c *tailCommand) Run(ctx context.Context, out *printer.Printer) error {
	if err := knownType(c.Type); err != nil {
		return err
	}
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	if c.Order, err = findOrder(ctx, pool, c.Order); err != nil {
		return err
	}
	at, filter, err := c.from(ctx, pool)
	if err != nil {
		return err
	}
	if c.Order != "" && !c.Follow {
		messages, _, err := eventstore.Read(ctx, pool, at, filter)
		if err != nil {
			return err
		}
		return c.showAll(ctx, out, pool, messages)
	}
	return c.follow(ctx, out, pool, at, filter)
}

// knownType reports a type that no event has.
func knownType(name string) error { return cli.OneOf("type of event", name, eventTypes()) }

func eventTypes() (names []string) {
	for _, e := range events.All() {
		names = append(names, e.EventType())
	}
	return names
}

// follow prints events as they are emitted, until ctx ends.
func (c *tailCommand) follow(
	ctx context.Context, out *printer.Printer, pool *pgxpool.Pool, at eventstore.Cursor, filter eventstore.Filter,
) error {
	for {
		messages, next, err := eventstore.Read(ctx, pool, at, filter)
		if err != nil {
			return err
		}
		at = next
		if err := c.show(ctx, out, pool, messages); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// from returns where to start, and which events to show.
func (c *tailCommand) from(
	ctx context.Context, pool *pgxpool.Pool,
) (at eventstore.Cursor, filter eventstore.Filter, err error) {
	filter = eventstore.Filter{OrderID: c.Order, Type: c.Type}
	switch {
	case c.Since > 0:
		filter.Since = time.Now().Add(-c.Since)
	case c.Order == "":
		at, err = eventstore.End(ctx, pool)
	}
	return at, filter, err
}

// showAll prints events that are all there will be.
func (c *tailCommand) showAll(
	ctx context.Context, out *printer.Printer, pool *pgxpool.Pool, messages []cloudevent.Message,
) error {
	if c.Alias || !out.Whole() {
		return c.show(ctx, out, pool, messages)
	}
	entries := make([]eventstore.Entry, len(messages))
	for i, m := range messages {
		entries[i] = eventstore.EntryOf(m)
	}
	type entry = eventstore.Entry
	return printer.List(
		out, entries,
		printer.Column[entry]{Name: "time", Cell: func(e entry) any { return e.Time }},
		printer.Column[entry]{Name: "type", Cell: func(e entry) any { return e.Type }},
		printer.Column[entry]{Name: "alias", Cell: func(e entry) any { return e.Alias }},
		printer.Column[entry]{Name: "source", Cell: func(e entry) any { return e.Source }},
		printer.Column[entry]{Name: "order_id", Cell: func(e entry) any { return e.OrderID }},
	)
}

// show prints one line for each event.
func (c *tailCommand) show(ctx context.Context, out *printer.Printer, pool *pgxpool.Pool, messages []cloudevent.Message) error {
	if c.Alias {
		forms, err := legacyevent.Forms(ctx, pool, messages)
		if err != nil {
			return err
		}
		return encode(forms)
	}
	for _, m := range messages {
		e := eventstore.EntryOf(m)
		text := fmt.Sprintf("%s  %-20s %-23s %-28s %s", e.Time.Local().Format("15:04:05.000"), e.Type, e.Alias, e.Source, e.OrderID)
		if err := out.Line(e, text); err != nil {
			return err
		}
	}
	return nil
}

// encode prints one JSON object per line.
func encode[T any](items []T) error {
	out := json.NewEncoder(os.Stdout)
	for _, item := range items {
		if err := out.Encode(item); err != nil {
			return err
		}
	}
	return nil
}

type replayCommand struct {
	database
	Function string    `arg:"" predictor:"functions" help:"Name of the function."`
	Since    time.Time `required:"" help:"Time of the first event, such as 2026-01-31T00:00:00Z."`
}

// Run schedules the events; the sweeper publishes them.
func (c *replayCommand) Run(ctx context.Context, out *printer.Printer) error {
	if err := knownFunction(c.Function); err != nil {
		return err
	}
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	n, err := eventstore.Replay(ctx, pool, c.Function, c.Since)
	if err != nil {
		return err
	}
	return out.Done(map[string]any{"events": n, "function": c.Function}, "%d events will be delivered to %s", n, c.Function)
}

type dropCommand struct {
	database
	Month string `arg:"" help:"The month, such as 2026-01."`
}

// Run drops a month, and fails when an event in it is not delivered.
func (c *dropCommand) Run(ctx context.Context, out *printer.Printer) error {
	month, err := time.Parse("2006-01", c.Month)
	if err != nil {
		return cli.Usage("month %q: must look like 2026-01", c.Month)
	}
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := eventstore.DropMonth(ctx, pool, month); err != nil {
		return err
	}
	return out.Done(map[string]string{"month": c.Month}, "the log of %s is dropped", c.Month)
}
