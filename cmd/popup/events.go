package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/legacyevent"
)

type eventsCommand struct {
	Tail   tailCommand   `cmd:"" default:"withargs" help:"Show events as they are emitted, or all events of one order."`
	Replay replayCommand `cmd:"" help:"Deliver past events to a function that has not handled them."`
	Drop   dropCommand   `cmd:"" help:"Drop the log of a month once all its events are delivered."`
}

type tailCommand struct {
	database
	Order string        `help:"Show only events of this order, and exit unless --follow is given."`
	Type  string        `help:"Show only events of this type, such as order.placed."`
	Since time.Duration `help:"Start this long ago instead of now."`
	JSON  bool          `name:"json" help:"Print one JSON object per line."`
	Alias bool          `help:"Print events in their legacy formats, one JSON object per line."`

	Follow bool `help:"Continue with new events."`
}

// Run prints events. Consumers receive them all the same.
func (c *tailCommand) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	at, filter, err := c.from(ctx, pool)
	if err != nil {
		return err
	}
	for {
		messages, next, err := eventstore.Read(ctx, pool, at, filter)
		if err != nil {
			return err
		}
		at = next
		if err := c.show(ctx, pool, messages); err != nil {
			return err
		}
		if c.Order != "" && !c.Follow {
			return nil
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

func (c *tailCommand) show(ctx context.Context, pool *pgxpool.Pool, messages []cloudevent.Message) error {
	if c.Alias {
		forms, err := legacyevent.Forms(ctx, pool, messages)
		if err != nil {
			return err
		}
		return encode(forms)
	}
	for _, m := range messages {
		if err := c.line(eventstore.EntryOf(m)); err != nil {
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

func (c *tailCommand) line(e eventstore.Entry) error {
	if c.JSON {
		return encode([]eventstore.Entry{e})
	}
	_, err := fmt.Printf("%s  %-20s %-23s %-28s %s\n", e.Time.Local().Format("15:04:05.000"), e.Type, e.Alias, e.Source,
		e.OrderID)
	return err
}

type replayCommand struct {
	database
	Function string    `arg:"" help:"Name of the function."`
	Since    time.Time `required:"" help:"Time of the first event, such as 2026-01-31T00:00:00Z."`
}

// Run schedules the events; the sweeper publishes them.
func (c *replayCommand) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	n, err := eventstore.Replay(ctx, pool, c.Function, c.Since)
	if err == nil {
		fmt.Printf("%d events will be delivered to %s\n", n, c.Function)
	}
	return err
}

type dropCommand struct {
	database
	Month string `arg:"" help:"The month, such as 2026-01."`
}

// Run drops a month, and fails when an event in it is not delivered.
func (c *dropCommand) Run(ctx context.Context) error {
	month, err := time.Parse("2006-01", c.Month)
	if err != nil {
		return fmt.Errorf("month %q: must look like 2026-01", c.Month)
	}
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	return eventstore.DropMonth(ctx, pool, month)
}
