package pgbatch

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Counter counts what the connections of a pool send, as the pool's tracer. The preparation of a statement, which happens once
// per connection, is not counted.
type Counter struct{ statements, roundTrips atomic.Int64 }

// CounterOf returns the counter that a pool was opened with, or one that stays at zero.
func CounterOf(pool *pgxpool.Pool) *Counter {
	if c, ok := pool.Config().ConnConfig.Tracer.(*Counter); ok {
		return c
	}
	return &Counter{}
}

// Statements returns how many statements were sent, those that begin and end transactions included.
func (c *Counter) Statements() int64 { return c.statements.Load() }

// RoundTrips returns how often the program sent statements and waited for the results of all of them.
func (c *Counter) RoundTrips() int64 { return c.roundTrips.Load() }

// TraceQueryStart implements [pgx.QueryTracer].
func (c *Counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.add(1)
	return ctx
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (c *Counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements [pgx.BatchTracer].
func (c *Counter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	c.add(data.Batch.Len())
	return ctx
}

// TraceBatchQuery implements [pgx.BatchTracer].
func (c *Counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements [pgx.BatchTracer].
func (c *Counter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (c *Counter) add(statements int) {
	c.statements.Add(int64(statements))
	c.roundTrips.Add(1)
}
