package local_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// A schedule that fires at every tick sends some 1,400 statements in this time.
func TestAnIdleShopSendsFewStatements(t *testing.T) {
	t.Parallel()
	const (
		tick    = 50 * time.Millisecond
		counted = 4 * time.Second
		most    = 80 // of two ticks of each function of the schedule
	)
	s := open(t, func(o *local.Options, settings *functions.Settings) {
		settings.Shipping = "manual"
		o.Tick, o.IdleTick = tick, time.Hour
	})
	require.Equal(t, http.StatusCreated, s.place(orderOf(1, "MUG-ENAMEL")).Code)
	s.deliverAll(time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s.Engine.AwaitIdle(ctx, 40*tick)
	require.NoError(t, ctx.Err(), "something is published all the time")
	s.Engine.SetIdle(true)

	sent := pgbatch.CounterOf(s.Pool)
	before := sent.Statements()
	time.Sleep(counted)
	require.LessOrEqual(t, sent.Statements()-before, int64(most))

	require.Equal(t, http.StatusCreated, s.place(orderOf(1, "MUG-ENAMEL")).Code)
}
