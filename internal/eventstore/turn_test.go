package eventstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/eventstore"
)

// An event that an unavailable broker did not accept does not lose its turn: it is due again at once, with the backoff that it had.
func TestAnEventKeepsItsTurnWhileTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	emit(t, b.pool, old)
	b.broker.err = errors.New("away")
	for range 5 {
		require.Eventually(t, func() bool { return eventstore.Sweep(t.Context(), b.pool, b.broker) != nil }, 20*time.Second, time.Millisecond)
		require.Zero(t, count(t, b, `bus.undelivered WHERE attempts > 0`))
		require.LessOrEqual(t, b.untilNextTry(t), time.Second+100*time.Millisecond)
		b.makeDue(t)
	}
	b.broker.err = nil
	b.sweep(t)
	require.Positive(t, count(t, b, `bus.undelivered WHERE attempts = 1`), "accepted: now it has had its turn")
}
