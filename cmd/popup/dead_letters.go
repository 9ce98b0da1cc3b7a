package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/cli"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/printer"
)

type deadLettersCommand struct {
	List    deadLetterList    `cmd:"" default:"withargs" help:"List open dead letters."`
	Show    deadLetterShow    `cmd:"" help:"Show one dead letter in full."`
	Redrive deadLetterRedrive `cmd:"" help:"Deliver dead letters to their functions again."`
	Discard deadLetterDiscard `cmd:"" help:"Give dead letters up: they count as handled."`
}

type deadLetterList struct {
	database
	Function string `predictor:"functions" help:"List only dead letters of this function."`
}

// Run lists open dead letters.
func (c *deadLetterList) Run(ctx context.Context, out *printer.Printer) error {
	if err := knownFunction(c.Function); err != nil {
		return err
	}
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	letters, err := eventstore.ListDeadLetters(ctx, pool, c.Function)
	if err != nil {
		return err
	}
	type letter = eventstore.DeadLetter
	return printer.List(
		out, letters,
		printer.Column[letter]{Name: "id", Cell: func(d letter) any { return d.ID }},
		printer.Column[letter]{Name: "stored_at", Cell: func(d letter) any { return d.StoredAt }},
		printer.Column[letter]{Name: "function", Cell: func(d letter) any { return d.Consumer }},
		printer.Column[letter]{Name: "type", Cell: func(d letter) any { return d.Type }},
		printer.Column[letter]{Name: "kind", Cell: func(d letter) any { return d.Kind }},
		printer.Column[letter]{Name: "attempts", Cell: func(d letter) any { return d.Attempts }},
		printer.Column[letter]{Name: "reason", Cell: func(d letter) any { return fmt.Sprintf("%.80s", d.Reason) }},
	)
}

// knownFunction reports a name that no function has.
func knownFunction(name string) error { return cli.OneOf("function", name, functionNames()) }

func functionNames() (names []string) {
	for _, f := range functions.All(functions.Settings{}) {
		names = append(names, f.Name)
	}
	return names
}

type deadLetterShow struct {
	database
	ID int64 `arg:"" help:"Its number in the list."`
}

// Run shows one dead letter.
func (c *deadLetterShow) Run(ctx context.Context, out *printer.Printer) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	letter, err := eventstore.ShowDeadLetter(ctx, pool, c.ID)
	if err != nil {
		return err
	}
	return out.Object(
		letter,
		printer.Field{Name: "id", Value: letter.ID},
		printer.Field{Name: "event_id", Value: letter.EventID},
		printer.Field{Name: "type", Value: letter.Type},
		printer.Field{Name: "source", Value: letter.Source},
		printer.Field{Name: "function", Value: letter.Consumer},
		printer.Field{Name: "revision", Value: letter.Revision},
		printer.Field{Name: "kind", Value: letter.Kind},
		printer.Field{Name: "reason", Value: letter.Reason},
		printer.Field{Name: "attempts", Value: letter.Attempts},
		printer.Field{Name: "stored_at", Value: letter.StoredAt},
		printer.Field{Name: "event", Value: letter.Event},
	)
}

// selection names dead letters.
type selection struct {
	database
	ID       []int64 `arg:"" optional:"" help:"Their numbers in the list."`
	Function string  `predictor:"functions" help:"All dead letters of this function."`
}

// action does something with dead letters and returns how many there were.
type action func(ctx context.Context, db eventstore.DB, by, consumer string, ids ...int64) (int64, error)

func (s selection) do(ctx context.Context, out *printer.Printer, done string, do action) error {
	if len(s.ID) == 0 && s.Function == "" {
		return cli.Usage("give the numbers of dead letters, or --function")
	}
	if err := knownFunction(s.Function); err != nil {
		return err
	}
	pool, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	n, err := do(ctx, pool, userName(), s.Function, s.ID...)
	if err != nil {
		return err
	}
	if n == 0 {
		return errors.New("none of them is an open dead letter")
	}
	return out.Done(map[string]int64{done: n}, "%d %s", n, done)
}

// userName returns the name of the operating system's user, for the record.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

type deadLetterRedrive struct{ selection }

// Run redrives dead letters.
func (c *deadLetterRedrive) Run(ctx context.Context, out *printer.Printer) error {
	return c.do(ctx, out, "redriven", eventstore.Redrive)
}

type deadLetterDiscard struct{ selection }

// Run discards dead letters.
func (c *deadLetterDiscard) Run(ctx context.Context, out *printer.Printer) error {
	return c.do(ctx, out, "discarded", eventstore.Discard)
}
