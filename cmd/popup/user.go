package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cli/api"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/printer"
	"github.com/popup-shop/popup/internal/typed"
)

type userCommand struct {
	api.UserCommand `embed:""`
	Reset           resetCommand `cmd:"" help:"Set a new password for a user, in the shop's database; for the shop's owner."`
}

type resetCommand struct {
	database
	Email    string `arg:"" help:"E-mail address of the user."`
	Password string `env:"POPUP_NEW_PASSWORD" help:"New password; generated and shown once if not set."`
	Ask      bool   `help:"Ask for the new password, or read it from a pipe."`
}

// reset is what a reset has done.
type reset struct {
	Email    string `json:"email"`
	Password string `json:"password,omitempty"` // the generated one, which is not stored
	Sessions int64  `json:"sessions_ended"`
}

// Run sets the password and ends all sessions of the account.
func (c *resetCommand) Run(ctx context.Context, out *printer.Printer) (err error) {
	done := reset{Email: typed.Email(c.Email)}
	if c.Ask {
		if c.Password, err = api.AskSecret("New password"); err != nil {
			return err
		}
	}
	secret := typed.Secret(c.Password)
	if secret == "" {
		secret = rand.Text()
		done.Password = secret
	}
	if why := password.Weakness(secret, done.Email); why != "" {
		return errors.New("the password " + why)
	}
	hash, err := password.Hash(ctx, secret)
	if err != nil {
		return err
	}
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return done.store(ctx, tx, hash) })
	if err != nil {
		return fmt.Errorf("reset the password of %s: %w", done.Email, err)
	}
	if done.Password == "" {
		return out.Done(done, "%s has the new password; %d sessions are ended", done.Email, done.Sessions)
	}
	return out.Done(done, "%s has the password %s (shown this once); %d sessions are ended", done.Email, done.Password, done.Sessions)
}

// store replaces the password's hash, ends the sessions, and emits what a change of the password by the user emits.
func (r *reset) store(ctx context.Context, tx pgx.Tx, hash string) error {
	var userID string
	err := tx.QueryRow(ctx, `
		WITH found AS (
			SELECT user_id FROM accounts.users WHERE lower(email) = lower(@email) AND active FOR UPDATE
		), stored AS (
			INSERT INTO accounts.passwords (user_id, hash) SELECT user_id, @hash FROM found
			ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash
		), ended AS (
			UPDATE accounts.sessions s SET ended_at = now()
			FROM found f
			WHERE s.user_id = f.user_id AND ended_at IS NULL
			RETURNING s.session_id
		)
		SELECT user_id::text, (SELECT count(*) FROM ended) FROM found`,
		pgx.NamedArgs{"email": r.Email, "hash": hash}).Scan(&userID, &r.Sessions)
	if errors.Is(err, pgx.ErrNoRows) {
		return errors.New("there is no open account with this e-mail address")
	}
	if err != nil {
		return err
	}
	session, err := uuid.NewV7()
	if err != nil {
		return err
	}
	return emit(ctx, tx,
		events.AccountChanged{CustomerID: userID, Change: "password"},
		events.SessionRevoked{CustomerID: userID, SessionID: session.String(), Reason: "password"})
}

// emit stores events of which this program is the source, for their consumers.
func emit(ctx context.Context, tx pgx.Tx, emitted ...events.Event) error {
	cause, err := uuid.NewV7()
	if err != nil {
		return err
	}
	messages, err := eventstore.Emitted("popup", cause.String(), cloudevent.NewTrace(), emitted)
	if err != nil {
		return err
	}
	_, err = eventstore.Send(ctx, tx, messages)
	return err
}
