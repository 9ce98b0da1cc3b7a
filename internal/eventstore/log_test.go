package eventstore_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/invariant"
)

// emitAs stores an event of a type, as emitted by a function.
func emitAs(t testing.TB, b bundle, eventType, function string) string {
	t.Helper()
	id := emit(t, b.pool, time.Minute)
	b.exec(t, `UPDATE bus.event SET type = $2, source = '/functions/' || $3::text WHERE event_id = $1`, id, eventType, function)
	return id
}

func readLog(t testing.TB, b bundle, q eventstore.LogQuery) (ids []string, page eventstore.LogPage) {
	t.Helper()
	page, err := eventstore.ReadLog(t.Context(), b.pool, q)
	require.NoError(t, err)
	for _, e := range page.Entries {
		ids = append(ids, e.ID)
	}
	return ids, page
}

// INS-21: pages of any size, forward and backward, have each event once.
func TestPagesOfTheLogHaveEachEventOnce_INS_21(t *testing.T) {
	t.Parallel()
	b := setupOwnServer(t)
	var all, short []string
	for range 120 {
		eventType := []string{"order.placed", "stock.short"}[rand.IntN(2)]
		id := emitAs(t, b, eventType, "place-order")
		if all = append(all, id); eventType == "stock.short" {
			short = append(short, id)
		}
	}
	for _, limit := range []int{1, 7, 100} {
		for _, backward := range []bool{false, true} {
			for _, types := range [][]string{nil, {"stock.short"}} {
				want := all
				if types != nil {
					want = short
				}
				if want = slices.Clone(want); backward {
					slices.Reverse(want)
				}
				var got []string
				q := eventstore.LogQuery{Types: types, Backward: backward, Limit: limit}
				for {
					ids, page := readLog(t, b, q)
					got = append(got, ids...)
					if q.After = page.Next; !page.More {
						break
					}
				}
				require.Equal(t, want, got)
			}
		}
	}
}

// INS-21: what comes later is after the end of what was read, also where a transaction was open in between.
func TestALaterPageBeginsWhereTheLogEnded(t *testing.T) {
	t.Parallel()
	b := setupOwnServer(t)
	first := emit(t, b.pool, 0)
	tx := open(t, b.pool)
	slow, quick := emit(t, tx, 0), emit(t, b.pool, 0)
	ids, page := readLog(t, b, eventstore.LogQuery{Limit: 10})
	require.Equal(t, []string{first}, ids)
	require.NoError(t, tx.Commit(t.Context()))
	ids, _ = readLog(t, b, eventstore.LogQuery{After: page.Next, Limit: 10})
	require.Equal(t, []string{slow, quick}, ids)
}

// INS-20: a position from before an older database was restored is ahead of the log, which goes on from its end.
func TestAPositionAheadOfTheLogIsItsEnd(t *testing.T) {
	t.Parallel()
	b := setupOwnServer(t)
	emit(t, b.pool, 0)
	ahead := eventstore.Position{Xid: 1 << 60, EventID: uuid.NewString()}
	at, err := eventstore.Resume(t.Context(), b.pool, ahead)
	require.NoError(t, err)
	ids, page := readLog(t, b, eventstore.LogQuery{After: ahead, Limit: 10})
	require.Empty(t, ids)
	later := emit(t, b.pool, 0)
	for _, from := range []eventstore.Position{at, page.Next} {
		ids, _ = readLog(t, b, eventstore.LogQuery{After: from, Limit: 10})
		require.Equal(t, []string{later}, ids)
		kept, err := eventstore.Resume(t.Context(), b.pool, from)
		require.NoError(t, err)
		require.Equal(t, from, kept)
	}
}

// API-81.
func TestTheLogIsFilteredByWhoEmitsAndConsumes(t *testing.T) {
	t.Parallel()
	b := setupOwnServer(t)
	placed := emitAs(t, b, "order.placed", "place-order")
	short := emitAs(t, b, "stock.short", "reserve-stock")
	for q, want := range map[*eventstore.LogQuery][]string{
		{Consumer: "send-email"}:                  {placed},
		{Emitter: "reserve-stock"}:                {short},
		{Emitter: "no-one"}:                       nil,
		{OrderID: short}:                          {short},
		{OrderID: short, Backward: true}:          {short},
		{OrderID: placed, Types: []string{"x.y"}}: nil,
	} {
		q.Limit = 10
		ids, page := readLog(t, b, *q)
		require.Equal(t, want, ids, "%+v", q)
		for _, e := range page.Entries {
			require.True(t, q.Matches(e), "%+v", q)
		}
	}
}

// INS-19: each consumer has the state of an event, with the attempts that failed.
func TestTheLogShowsWhatBecameOfAnEvent_INS_19(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, time.Minute)
	states := func() map[string]eventstore.Consumption {
		entries, err := eventstore.LogOfOrder(t.Context(), b.pool, id)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		found := map[string]eventstore.Consumption{}
		for _, c := range entries[0].Consumers {
			found[c.Function] = c
		}
		return found
	}
	require.Equal(t, eventstore.Waiting, states()["reserve-stock"].State)
	handle(t, b, id, "reserve-stock")
	b.exec(t, `INSERT INTO bus.undelivered (event_id, consumer, created_at, attempts) VALUES ($1, 'send-email', now(), 3)`, id)
	require.Equal(t, eventstore.Handled, states()["reserve-stock"].State)
	require.NotNil(t, states()["reserve-stock"].At)
	require.Equal(t, 3, states()["send-email"].Attempts)
	b.exec(t, `INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event) VALUES ($1, 'order.placed', '', 'send-email', 'poison', 'why', '')`, id)
	require.Equal(t, eventstore.DeadLettered, states()["send-email"].State)
	require.Equal(t, "why", states()["send-email"].Reason)
}

// INS-20: texts of positions have their order, and are read back.
func TestTextsOfPositionsHaveTheirOrder(t *testing.T) {
	t.Parallel()
	position := rapid.Custom(func(rt *rapid.T) eventstore.Position {
		var id uuid.UUID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "id"))
		return eventstore.Position{
			Xid: rapid.Uint64Range(0, 1<<62).Draw(rt, "xid"), N: int16(rapid.IntRange(0, 1<<15-1).Draw(rt, "n")), EventID: id.String(),
		}
	})
	rapid.Check(t, func(rt *rapid.T) {
		a, b := position.Draw(rt, "a"), position.Draw(rt, "b")
		require.Equal(rt, a.Before(b), a.String() < b.String())
		read, err := eventstore.ParsePosition(a.String())
		require.NoError(rt, err)
		require.Equal(rt, a, read)
	})
	for _, wrong := range []string{"x", "1-2-3", "-", "00000000000004d2-0000-", "00000000000004D2-0000-00000000-0000-0000-0000-000000000000"} {
		_, err := eventstore.ParsePosition(wrong)
		require.Error(t, err, wrong)
	}
}

// API-81: no page of the log reads a table from end to end.
func TestPagesOfTheLogReadIndexes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `
		INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, data, created_at, xid)
		SELECT gen_random_uuid(), 'order.placed', '/functions/place-order', 'x', md5((i / 20)::text)::uuid, gen_random_uuid(), 0, '{}',
			now() - i * interval '1 s', (1000000 + i)::text::xid8
		FROM generate_series(1, 40000) i`)
	b.exec(t, `INSERT INTO bus.inbox (event_id, consumer, claimed_at) SELECT event_id, 'reserve-stock', created_at FROM bus.event`)
	b.exec(t, `ANALYZE bus.event, bus.inbox`)
	plans := invariant.NewPlans(b.pool)
	for _, q := range []eventstore.LogQuery{
		{},
		{Backward: true},
		{Types: []string{"x.y"}},
		{Types: []string{"x.y"}, Backward: true},
		{OrderID: uuid.NewString()},
		{OrderID: uuid.NewString(), Backward: true},
		{Consumer: "send-email", Emitter: "place-order"},
	} {
		q.Limit = 20
		_, err := eventstore.ReadLog(t.Context(), plans, q)
		require.NoError(t, err)
	}
	_, err := eventstore.LogOfOrder(t.Context(), plans, uuid.NewString())
	require.NoError(t, err)
	_, err = eventstore.ReadEmitted(t.Context(), plans, time.Now())
	require.NoError(t, err)
	require.Empty(t, plans.Scans)
	require.Greater(t, plans.Seen, 10)
}
