package pgbatch

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Counter counts what the connections of a pool send, as the pool's tracer. The preparation of a statement, which
// happens once per connection, is not counted.
type Counter struct {
	// Observe, if set, is called before statements are sent together, and what it returns, unless nil, once their results
	// are read.
	Observe func(ctx context.Context, statements []string) (end func(error))

	statements, roundTrips atomic.Int64
}

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
func (c *Counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	c.add(1)
	if c.Observe == nil {
		return ctx
	}
	return c.begin(ctx, []string{data.SQL})
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (c *Counter) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	c.end(ctx, data.Err)
}

// TraceBatchStart implements [pgx.BatchTracer].
func (c *Counter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	c.add(data.Batch.Len())
	if c.Observe == nil {
		return ctx
	}
	statements := make([]string, data.Batch.Len())
	for i, query := range data.Batch.QueuedQueries {
		statements[i] = query.SQL
	}
	return c.begin(ctx, statements)
}

// TraceBatchQuery implements [pgx.BatchTracer].
func (c *Counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements [pgx.BatchTracer].
func (c *Counter) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	c.end(ctx, data.Err)
}

// endKey is the key of the function that ends an observation.
type endKey struct{}

func (c *Counter) begin(ctx context.Context, statements []string) context.Context {
	if end := c.Observe(ctx, statements); end != nil {
		return context.WithValue(ctx, endKey{}, end)
	}
	return ctx
}

func (c *Counter) end(ctx context.Context, err error) {
	if c.Observe == nil {
		return
	}
	if end, ok := ctx.Value(endKey{}).(func(error)); ok {
		end(err)
	}
}

func (c *Counter) add(statements int) {
	c.statements.Add(int64(statements))
	c.roundTrips.Add(1)
}
