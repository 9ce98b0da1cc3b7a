package eventstore_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
)

func read(t testing.TB, b bundle, from eventstore.Cursor, f eventstore.Filter) (ids []string, next eventstore.Cursor) {
	t.Helper()
	found, next, err := eventstore.Read(t.Context(), b.pool, from, f)
	require.NoError(t, err)
	for _, m := range found {
		ids = append(ids, m.ID)
	}
	return ids, next
}

func TestAReaderWaitsForASlowTransactionAndMissesNothing(t *testing.T) {
	t.Parallel()
	b := setupOwnServer(t)
	before := emit(t, b.pool, 0)
	tx := open(t, b.pool)
	slow := emit(t, tx, 0)
	quick := emit(t, b.pool, 0)
	ids, next := read(t, b, eventstore.Cursor{}, eventstore.Filter{})
	require.Equal(t, []string{before}, ids)
	end, err := eventstore.End(t.Context(), b.pool)
	require.NoError(t, err)
	require.Equal(t, end, next)
	require.NoError(t, tx.Commit(t.Context()))
	ids, next = read(t, b, next, eventstore.Filter{})
	require.Equal(t, []string{slow, quick}, ids)
	ids, _ = read(t, b, next, eventstore.Filter{})
	require.Empty(t, ids, "each once")
}

func TestAReaderAmongManySpeakersReadsEachEventOnce(t *testing.T) {
	t.Parallel()
	b := setupOwnServer(t)
	var speakers sync.WaitGroup
	var mu sync.Mutex
	var said []string
	for range 8 {
		speakers.Go(func() {
			for range 25 {
				tx, err := b.pool.Begin(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				one, other := emit(t, tx, 0), emit(t, tx, 0)
				if err := tx.Commit(t.Context()); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				said = append(said, one, other)
				mu.Unlock()
			}
		})
	}
	over := make(chan struct{})
	go func() { speakers.Wait(); close(over) }()
	var heard []string
	var cursor eventstore.Cursor
	for last := false; ; {
		ids, next := read(t, b, cursor, eventstore.Filter{})
		heard, cursor = append(heard, ids...), next
		if last {
			break
		}
		select {
		case <-over:
			last = true
		default:
		}
	}
	require.ElementsMatch(t, said, heard)
	require.Len(t, heard, 400)
}

func TestAReaderFromTheEndReadsLaterEvents(t *testing.T) {
	t.Parallel()
	b := setupOwnServer(t)
	emit(t, b.pool, 0)
	end, err := eventstore.End(t.Context(), b.pool)
	require.NoError(t, err)
	after := emit(t, b.pool, 0)
	ids, _ := read(t, b, end, eventstore.Filter{})
	require.Equal(t, []string{after}, ids)
}

func TestAReaderGetsWhatTheFilterWants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ancient, recent, paid := emit(t, b.pool, time.Hour), emit(t, b.pool, time.Minute), emit(t, b.pool, time.Minute)
	b.exec(t, `UPDATE bus.event SET type = 'payment.paid' WHERE event_id = $1`, paid)
	require.Eventually(t, func() bool { // other tests' transactions are on the same server
		ids, _ := read(t, b, eventstore.Cursor{}, eventstore.Filter{})
		return len(ids) == 3
	}, 20*time.Second, time.Millisecond)
	for name, c := range map[string]struct {
		filter eventstore.Filter
		want   []string
	}{
		"all":                  {eventstore.Filter{}, []string{ancient, recent, paid}},
		"an order's":           {eventstore.Filter{OrderID: recent}, []string{recent}},
		"a type's":             {eventstore.Filter{Type: "payment.paid"}, []string{paid}},
		"recent ones":          {eventstore.Filter{Since: time.Now().Add(-30 * time.Minute)}, []string{recent, paid}},
		"an order's of a type": {eventstore.Filter{OrderID: recent, Type: "payment.paid"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ids, _ := read(t, b, eventstore.Cursor{}, c.filter)
			require.ElementsMatch(t, c.want, ids)
		})
	}
}

func TestAnOrdersEventsAreReadInTheOrderOfEmission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := emit(t, b.pool, 0)
	second := emit(t, b.pool, 0)
	b.exec(t, `UPDATE bus.event SET order_id = $1`, first)
	other := emit(t, b.pool, 0)
	found, err := eventstore.OfOrder(t.Context(), b.pool, first)
	require.NoError(t, err)
	require.Equal(t, []string{first, second}, ids(found))
	require.NotContains(t, ids(found), other)
}

func ids(messages []cloudevent.Message) (ids []string) {
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	return slices.Clone(ids)
}
