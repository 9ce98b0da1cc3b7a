package shoptest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// During makes a call while a transaction that has run some statements is not committed yet. The transaction is
// committed once the call waits for it, or has returned without having waited.
func (s *Shop) During(t testing.TB, sql string, call func() Response) Response {
	t.Helper()
	tx, err := s.Pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }() // it may be over already
	_, err = tx.Conn().PgConn().Exec(t.Context(), sql).ReadAll()
	require.NoError(t, err)
	returned := make(chan Response, 1)
	go func() { returned <- call() }()
	pid := tx.Conn().PgConn().PID()
	for {
		select {
		case a := <-returned:
			require.NoError(t, tx.Commit(t.Context()))
			return a
		case <-time.After(5 * time.Millisecond):
		}
		if Scalar[bool](t, s, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))`, pid) {
			break
		}
	}
	require.NoError(t, tx.Commit(t.Context()))
	return <-returned
}

// Concurrently makes calls at the same time and returns their answers, in the order of the calls.
func Concurrently(calls ...func() Response) []Response {
	answers := make([]Response, len(calls))
	start := make(chan struct{})
	var all sync.WaitGroup
	for i, call := range calls {
		all.Go(func() {
			<-start
			answers[i] = call()
		})
	}
	close(start)
	all.Wait()
	return answers
}
