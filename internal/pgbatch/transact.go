package pgbatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	acquireTimeout = 2 * time.Second // for a connection; then the program has more to do than it can
	retryJitter    = 20 * time.Millisecond
)

// ErrOverloaded is returned when no connection becomes free in time.
var ErrOverloaded = errors.New("overloaded")

// Acquire returns a connection of the pool.
func Acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, acquireTimeout)
	defer cancel()
	conn, err := pool.Acquire(waiting)
	switch {
	case err == nil:
		return conn, nil
	case waiting.Err() != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("%w: no connection to the database in %s", ErrOverloaded, acquireTimeout)
	}
	return nil, fmt.Errorf("connect to the database: %w", err)
}

// Transact runs one transaction that starts with head. What do returns is sent with COMMIT.
func Transact(
	ctx context.Context, pool *pgxpool.Pool, head []Statement, do func(*Tx) (tail []Statement, err error),
) error {
	conn, err := Acquire(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	defer Rollback(conn)
	tx := Begin(conn, head...)
	tail, err := do(tx)
	if err != nil { // an error of the head explains what do made of it
		_ = tx.Flush(ctx) // kept in tx.err
	}
	if tx.err != nil {
		return tx.err
	}
	if err != nil {
		return err
	}
	return tx.CommitWith(ctx, tail...)
}

// Retry calls do again, with jitter, as long as retryable reports true for its error, at most tries times in all.
func Retry(ctx context.Context, tries int, retryable func(error) bool, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if err == nil || try == tries || !retryable(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(retryJitter * time.Duration(try))):
		}
	}
}

// IsRetryable reports whether err is transient: a serialization failure, a deadlock or a lock timeout.
func IsRetryable(err error) bool {
	switch SQLState(err) {
	case "40001", "40P01", "55P03":
		return true
	}
	return false
}

// IsConstraint reports whether err is the violation of a constraint: SQLSTATE class 23.
func IsConstraint(err error) bool { return strings.HasPrefix(SQLState(err), "23") }

// IsDuplicate reports whether err is the violation of a unique or exclusion constraint: another transaction was first.
func IsDuplicate(err error) bool {
	switch SQLState(err) {
	case "23505", "23P01":
		return true
	}
	return false
}

// IsInvalidData reports whether a value was not one of its type: SQLSTATE class 22.
func IsInvalidData(err error) bool { return strings.HasPrefix(SQLState(err), "22") }

// IsUnavailable reports whether the database, or the connection to it, is unavailable or too busy at the moment.
func IsUnavailable(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.Is(err, ErrOverloaded), errors.As(err, &connect), errors.As(err, &network), pgconn.SafeToRetry(err):
		return true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return true
	}
	code := SQLState(err)
	if code == idleInTransaction {
		return true
	}
	for _, class := range unavailable {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// IsDisconnected reports whether an error is that of a database which cannot be reached: it is down, starts or stops, or the
// connection broke.
func IsDisconnected(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, ErrOverloaded):
		return false
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	case errors.Is(err, net.ErrClosed):
		return true
	}
	code := SQLState(err)
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P")
}

// unavailable are the SQLSTATE classes of lost connections, rollbacks, missing resources, locks and interventions.
var unavailable = []string{"08", "40", "53", "55", "57"}

const idleInTransaction = "25P03"

// SQLState returns the SQLSTATE of an error of Postgres, or "".
func SQLState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
