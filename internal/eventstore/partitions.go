package eventstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

var errNoMonth = errors.New("there is no log of it alone: nothing was said in it, or it began before its log was made")

// DropMonth drops the log of the month that contains a time. It fails while an event of the month is not delivered, and when the
// month has no partition of its own.
func DropMonth(ctx context.Context, pool *pgxpool.Pool, of time.Time) error {
	month := time.Date(of.Year(), of.Month(), 1, 0, 0, 0, 0, time.UTC)
	if err := dropMonth(ctx, pool, month); err != nil {
		return fmt.Errorf("drop month %s: %w", month.Format("2006-01"), err)
	}
	return nil
}

func dropMonth(ctx context.Context, pool *pgxpool.Pool, month time.Time) error {
	var logs int
	err := pool.QueryRow(ctx, `
		SELECT count(*)
		FROM pg_class
		WHERE oid IN (to_regclass('bus.event_' || @part), to_regclass('bus.inbox_' || @part))`,
		pgx.NamedArgs{"part": month.Format("2006_01")}).Scan(&logs)
	if err != nil {
		return err
	}
	if logs < 2 {
		return errNoMonth
	}
	_, err = pool.Exec(ctx, `SELECT bus.drop_month(@month)`, pgx.NamedArgs{"month": month})
	return raisedMessage(err)
}

// raisedMessage returns the message of an error that our own SQL raises, without its subject and code.
func raisedMessage(err error) error {
	var raised *pgconn.PgError
	if !errors.As(err, &raised) || raised.Code != "P0001" {
		return err
	}
	if _, why, found := strings.Cut(raised.Message, ": "); found {
		return errors.New(why)
	}
	return errors.New(raised.Message)
}
