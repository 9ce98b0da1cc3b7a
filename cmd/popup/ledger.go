package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
)

type eventsCommand struct {
	Tail   tailCommand   `cmd:"" default:"withargs" help:"Show events as they are said, or all of one order."`
	Replay replayCommand `cmd:"" help:"Let a function hear the events since a moment that it has not heard."`
	Drop   dropCommand   `cmd:"" help:"Drop the log of a month, once nobody waits for anything in it."`
}

type tailCommand struct {
	database
	Order string        `help:"Only events of this order; without --follow, ends when they are shown."`
	Type  string        `help:"Only events of this type, such as order.placed."`
	Since time.Duration `help:"Begin that long ago, instead of now."`
	JSON  bool          `name:"json" help:"One JSON object a line."`
	Alias bool          `help:"Show events under the names and in the fields of older contracts, one JSON object a line."`

	Follow bool `help:"Go on with what is said from now on."`
}

// Run shows events; it takes nothing from anybody.
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
		said, next, err := eventstore.Read(ctx, pool, at, filter)
		if err != nil {
			return err
		}
		at = next
		if err := c.show(ctx, pool, said); err != nil {
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

// from is where to begin, and what is wanted.
func (c *tailCommand) from(ctx context.Context, pool *pgxpool.Pool) (at eventstore.Cursor, filter eventstore.Filter, err error) {
	filter = eventstore.Filter{OrderID: c.Order, Type: c.Type}
	switch {
	case c.Since > 0:
		filter.Since = time.Now().Add(-c.Since)
	case c.Order == "":
		at, err = eventstore.End(ctx, pool)
	}
	return at, filter, err
}

func (c *tailCommand) show(ctx context.Context, pool *pgxpool.Pool, said []cloudevent.Message) error {
	if c.Alias {
		shown, err := legacyEvents(ctx, pool, said)
		if err != nil {
			return err
		}
		return encode(shown)
	}
	for _, m := range said {
		if err := c.line(eventstore.EntryOf(m)); err != nil {
			return err
		}
	}
	return nil
}

// encode prints one JSON object a line.
func encode[T any](all []T) error {
	out := json.NewEncoder(os.Stdout)
	for _, one := range all {
		if err := out.Encode(one); err != nil {
			return err
		}
	}
	return nil
}

func (c *tailCommand) line(e eventstore.Entry) error {
	if c.JSON {
		return encode([]eventstore.Entry{e})
	}
	_, err := fmt.Printf("%s  %-20s %-23s %-28s %s\n", e.Time.Local().Format("15:04:05.000"), e.Type, e.Alias, e.Source, e.OrderID)
	return err
}

type replayCommand struct {
	database
	Function string    `arg:"" help:"Who shall hear."`
	Since    time.Time `required:"" help:"From when on, like 2026-01-31T00:00:00Z."`
}

// Run asks for a replay; the sweeper does it.
func (c *replayCommand) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	n, err := eventstore.Replay(ctx, pool, c.Function, c.Since)
	if err == nil {
		fmt.Printf("%d events will be told to %s\n", n, c.Function)
	}
	return err
}

type dropCommand struct {
	database
	Month string `arg:"" help:"The month, like 2026-01."`
}

// Run drops a month, or says what still waits in it.
func (c *dropCommand) Run(ctx context.Context) error {
	month, err := time.Parse("2006-01", c.Month)
	if err != nil {
		return fmt.Errorf("month %q: must be like 2026-01", c.Month)
	}
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	return eventstore.DropMonth(ctx, pool, month)
}

type parkedCommand struct {
	List    parkedList    `cmd:"" default:"withargs" help:"List parked events."`
	Show    parkedShow    `cmd:"" help:"Show one, whole."`
	Redrive parkedRedrive `cmd:"" help:"Let functions try them again."`
	Discard parkedDiscard `cmd:"" help:"Give them up."`
}

type parkedList struct {
	database
	Function string `help:"Only those of this function."`
	JSON     bool   `name:"json" help:"One JSON object a line."`
}

// Run lists what is parked.
func (c *parkedList) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	found, err := eventstore.ListParked(ctx, pool, c.Function)
	if err != nil {
		return err
	}
	if c.JSON {
		return encode(found)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tAT\tFUNCTION\tTYPE\tKIND\tTRIES\tREASON")
	for _, p := range found {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%d\t%.80s\n", p.ID, p.ParkedAt.Local().Format(time.DateTime), p.Consumer, p.Type, p.Kind, p.Attempts, p.Reason)
	}
	return table.Flush()
}

type parkedShow struct {
	database
	ID int64 `arg:"" help:"Its number in the list."`
}

// Run shows one parked event as JSON.
func (c *parkedShow) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	p, err := eventstore.ShowParked(ctx, pool, c.ID)
	if err != nil {
		return err
	}
	pretty := json.NewEncoder(os.Stdout)
	pretty.SetIndent("", "  ")
	return pretty.Encode(p)
}

// selection is which parked events are meant.
type selection struct {
	database
	ID       []int64 `arg:"" optional:"" help:"Their numbers in the list."`
	Function string  `help:"All of this function."`
}

type act func(ctx context.Context, pool *pgxpool.Pool, by, consumer string, ids ...int64) (int64, error)

func (s selection) do(ctx context.Context, verb string, do act) error {
	if len(s.ID) == 0 && s.Function == "" {
		return errors.New("name them by number or by --function")
	}
	pool, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	n, err := do(ctx, pool, person(), s.Function, s.ID...)
	if err != nil {
		return err
	}
	if n == 0 {
		return errors.New("none of them is parked")
	}
	fmt.Printf("%d %s\n", n, verb)
	return nil
}

// person is who types, for the record.
func person() string {
	if who, err := user.Current(); err == nil {
		return who.Username
	}
	return "unknown"
}

type parkedRedrive struct{ selection }

// Run redrives parked events.
func (c *parkedRedrive) Run(ctx context.Context) error {
	return c.do(ctx, "redriven", eventstore.Redrive)
}

type parkedDiscard struct{ selection }

// Run discards parked events.
func (c *parkedDiscard) Run(ctx context.Context) error {
	return c.do(ctx, "discarded", eventstore.Discard)
}
