package local_test

import (
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
	require.Eventually(t, func() bool { return s.Engine.IdleFor() > 40*tick }, time.Minute, tick, "something is published all the time")

	sent := pgbatch.CounterOf(s.Pool)
	before := sent.Statements()
	time.Sleep(counted)
	require.LessOrEqual(t, sent.Statements()-before, int64(most))
}
