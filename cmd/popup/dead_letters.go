package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/eventstore"
)

type deadLettersCommand struct {
	List    deadLetterList    `cmd:"" default:"withargs" help:"List open dead letters."`
	Show    deadLetterShow    `cmd:"" help:"Show one dead letter in full."`
	Redrive deadLetterRedrive `cmd:"" help:"Deliver dead letters to their functions again."`
	Discard deadLetterDiscard `cmd:"" help:"Give dead letters up: they count as handled."`
}

type deadLetterList struct {
	database
	Function string `help:"List only dead letters of this function."`
	JSON     bool   `name:"json" help:"Print one JSON object per line."`
}

// Run lists open dead letters.
func (c *deadLetterList) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	letters, err := eventstore.ListDeadLetters(ctx, pool, c.Function)
	if err != nil {
		return err
	}
	if c.JSON {
		return encode(letters)
	}
	rows := make([][]any, len(letters))
	for i, d := range letters {
		at, reason := d.StoredAt.Local().Format(time.DateTime), fmt.Sprintf("%.80s", d.Reason)
		rows[i] = []any{d.ID, at, d.Consumer, d.Type, d.Kind, d.Attempts, reason}
	}
	return table("ID TIME FUNCTION TYPE KIND ATTEMPTS REASON", rows)
}

type deadLetterShow struct {
	database
	ID int64 `arg:"" help:"Its number in the list."`
}

// Run prints one dead letter as JSON.
func (c *deadLetterShow) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	letter, err := eventstore.ShowDeadLetter(ctx, pool, c.ID)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(letter)
}

// selection names dead letters.
type selection struct {
	database
	ID       []int64 `arg:"" optional:"" help:"Their numbers in the list."`
	Function string  `help:"All dead letters of this function."`
}

// action does something with dead letters and returns how many there were.
type action func(ctx context.Context, pool *pgxpool.Pool, by, consumer string, ids ...int64) (int64, error)

func (s selection) do(ctx context.Context, done string, do action) error {
	if len(s.ID) == 0 && s.Function == "" {
		return errors.New("give the numbers of dead letters, or --function")
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
	fmt.Printf("%d %s\n", n, done)
	return nil
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
func (c *deadLetterRedrive) Run(ctx context.Context) error {
	return c.do(ctx, "redriven", eventstore.Redrive)
}

type deadLetterDiscard struct{ selection }

// Run discards dead letters.
func (c *deadLetterDiscard) Run(ctx context.Context) error {
	return c.do(ctx, "discarded", eventstore.Discard)
}
