package eventstore_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
)

// park keeps an event for a person and returns its number.
func park(t testing.TB, b bundle, eventID, consumer, kind string) (id int64) {
	t.Helper()
	require.NoError(t, b.pool.QueryRow(t.Context(), `
		INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event)
		VALUES ($1, 'order.placed', '/functions/place-order', $2, $3, 'because', '{}')
		RETURNING dead_letter_id`, eventID, consumer, kind).Scan(&id))
	return id
}

func TestOpenDeadLettersAreListedOldestFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second, resolved := park(t, b, "1", "send-email", "poison"), park(t, b, "2", "ship-order", "poison"), park(t, b, "3", "send-email", "poison")
	b.exec(t, `UPDATE bus.dead_letters SET resolved_at = now() WHERE dead_letter_id = $1`, resolved)
	all, err := eventstore.ListDeadLetters(t.Context(), b.pool, "")
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, []int64{first, second}, []int64{all[0].ID, all[1].ID})
	some, err := eventstore.ListDeadLetters(t.Context(), b.pool, "ship-order")
	require.NoError(t, err)
	require.Len(t, some, 1)
	require.Equal(t, second, some[0].ID)
	one, err := eventstore.ShowDeadLetter(t.Context(), b.pool, resolved)
	require.NoError(t, err)
	require.Equal(t, "because", one.Reason)
	_, err = eventstore.ShowDeadLetter(t.Context(), b.pool, 4711)
	require.ErrorContains(t, err, "4711")
}

func TestJunkCanBeLookedAt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := park(t, b, "1", "send-email", "unreadable")
	b.exec(t, `UPDATE bus.dead_letters SET event = '\xff00'::bytea`)
	all, err := eventstore.ListDeadLetters(t.Context(), b.pool, "")
	require.NoError(t, err)
	require.Len(t, all, 1)
	_, err = eventstore.ShowDeadLetter(t.Context(), b.pool, id)
	require.NoError(t, err)
}

// FUN-08.
func TestARedrivenEventIsPublishedAtOnceAndTheActIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	handle(t, b, id, "send-email")
	parked := park(t, b, id, "reserve-stock", "poison")
	b.sweepAll(t)
	b.exec(t, `UPDATE bus.undelivered SET attempts = 9, next_at = now() + interval '1 hour'`)
	n, err := eventstore.Redrive(t.Context(), b.pool, "ann", "", parked)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.Empty(t, b.broker.published)
	b.sweep(t)
	require.Equal(t, []string{id}, b.broker.published)
	require.Equal(t, 1, count(t, b, `bus.undelivered WHERE attempts = 1`), "it begins anew")
	require.Equal(t, 1, count(t, b, `bus.dead_letter_actions WHERE dead_letter_id = $1 AND action = 'redrive' AND by = 'ann'`, parked))
	n, err = eventstore.Redrive(t.Context(), b.pool, "ann", "", parked)
	require.NoError(t, err)
	require.Zero(t, n, "it is resolved")
}

func TestAnEventThatCameBeforeTheMarkIsRedrivenToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	handle(t, b, id, "send-email", "reserve-stock")
	b.sweepAll(t)
	b.exec(t, `DELETE FROM bus.inbox WHERE consumer = 'reserve-stock'`)
	park(t, b, id, "reserve-stock", "poison")
	n, err := eventstore.Redrive(t.Context(), b.pool, "ann", "reserve-stock")
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	b.sweep(t)
	require.Equal(t, []string{id}, b.broker.published)
}

// FUN-08.
func TestAllEventsOfAFunctionAreRedrivenTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		park(t, b, emit(t, b.pool, old), "reserve-stock", "poison")
	}
	other := park(t, b, emit(t, b.pool, old), "send-email", "poison")
	n, err := eventstore.Redrive(t.Context(), b.pool, "ann", "reserve-stock")
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
	require.Equal(t, 3, count(t, b, `bus.dead_letter_actions WHERE action = 'redrive'`))
	left, err := eventstore.ListDeadLetters(t.Context(), b.pool, "")
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Equal(t, other, left[0].ID)
}

func TestAnUnknownEventCannotBeRedriven(t *testing.T) {
	t.Parallel()
	b := setup(t)
	forged, err := uuid.NewV7()
	require.NoError(t, err)
	parked := park(t, b, forged.String(), "reserve-stock", "unknown")
	n, err := eventstore.Redrive(t.Context(), b.pool, "ann", "", parked)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Zero(t, count(t, b, `bus.dead_letter_actions`))
	require.Equal(t, 1, count(t, b, `bus.dead_letters WHERE resolved_at IS NULL`))
}

// FUN-08.
func TestADiscardedEventCountsAsHandledAndTheActionIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	handle(t, b, id, "send-email")
	parked := park(t, b, id, "reserve-stock", "poison")
	junk := park(t, b, "no id", "reserve-stock", "unreadable")
	n, err := eventstore.Discard(t.Context(), b.pool, "bob", "", parked, junk)
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	b.sweepAll(t)
	require.Empty(t, b.broker.published)
	require.Zero(t, count(t, b, `bus.undelivered`))
	require.Equal(t, 1, count(t, b, `bus.inbox WHERE event_id = $1 AND consumer = 'reserve-stock'`, id))
	require.Equal(t, 2, count(t, b, `bus.dead_letter_actions WHERE action = 'discard' AND by = 'bob'`))
}

// A dead letter without its destination has no function's name.
func TestAnActOnOneEventLeavesAllOthersAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, other := park(t, b, emit(t, b.pool, old), "", "undelivered"), park(t, b, emit(t, b.pool, old), "", "undelivered")
	n, err := eventstore.Redrive(t.Context(), b.pool, "ann", "", one)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	n, err = eventstore.Discard(t.Context(), b.pool, "ann", "")
	require.NoError(t, err)
	require.Zero(t, n, "nothing was named")
	n, err = eventstore.Discard(t.Context(), b.pool, "ann", "", other)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

func bury(t testing.TB, b bundle, dead cloudevent.DeadLetter) {
	t.Helper()
	require.NoError(t, pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error { return eventstore.StoreDeadLetter(t.Context(), tx, dead) }))
}

func letter(id, reason string) cloudevent.DeadLetter {
	return cloudevent.DeadLetter{
		Message:  cloudevent.Message{ID: id, Type: "order.placed", Source: "/functions/place-order", Time: time.Now(), Data: []byte(`{}`)},
		Consumer: "reserve-stock", Code: 503, Reason: reason,
	}
}

func TestADeadLetterWithAReasonIsStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	bury(t, b, letter(id, `{"reason":"no"}`))
	bury(t, b, letter(id, `{"reason":"still no"}`))
	parked, err := eventstore.ListDeadLetters(t.Context(), b.pool, "reserve-stock")
	require.NoError(t, err)
	require.Len(t, parked, 1, "once per event and function")
	require.Equal(t, "undelivered", parked[0].Kind)
	require.Equal(t, `503 {"reason":"still no"}`, parked[0].Reason)
	require.Equal(t, 2, parked[0].Attempts)
	require.Equal(t, id, parked[0].EventID)
	require.Contains(t, parked[0].Event, "shop.popup.order.placed")
}

func TestADeadLetterWhoseFunctionWasAwayIsLeftToTheSweeper(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	bury(t, b, letter(id, ""))
	require.Zero(t, count(t, b, `bus.dead_letters`))
	b.sweepAll(t)
	require.Equal(t, []string{id}, b.broker.published)
}

func TestADeadLetterOfAnUnknownEventIsStoredAsUnknown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	forged, err := uuid.NewV7()
	require.NoError(t, err)
	other := letter(emit(t, b.pool, old), "")
	other.Type = "payment.paid" // a known id under another type
	for _, dead := range []cloudevent.DeadLetter{letter(forged.String(), ""), letter("no id", ""), other} {
		bury(t, b, dead)
	}
	require.Equal(t, 3, count(t, b, `bus.dead_letters WHERE kind = 'unknown'`))
}

// B3: rounds in a row in which the function was reached and did not respond.
func TestADeadLetterWithoutAResponseIsStoredAfterThreeRounds(t *testing.T) {
	t.Parallel()
	type round struct {
		code      int
		responded bool
	}
	crash, html, away, overloaded, unavailable := round{502, false}, round{500, false}, round{0, false}, round{503, false}, round{503, true}
	for what, c := range map[string]struct {
		rounds []round
		parked int
	}{
		"it crashes":                             {[]round{crash, crash, crash}, 1},
		"it responds 500 with a body of its own": {[]round{html, html, html}, 1},
		"twice is not enough":                    {[]round{crash, crash}, 0},
		"it was away for long before":            {[]round{away, away, away, away, away, crash, crash}, 0},
		"it cannot be reached":                   {[]round{away, away, away, away, away, away}, 0},
		"a proxy before it is overloaded":        {[]round{overloaded, overloaded, overloaded, overloaded}, 0},
		"what it needs is unavailable":           {[]round{unavailable, unavailable, unavailable, unavailable}, 0},
		"it responded in between":                {[]round{crash, crash, unavailable, crash, crash}, 0},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := emit(t, b.pool, old)
			for _, r := range c.rounds {
				dead := letter(id, "")
				dead.Code, dead.Responded = r.code, r.responded
				bury(t, b, dead)
				b.exec(t, `UPDATE bus.undelivered SET attempts = attempts + 1`) // the sweeper publishes it again
			}
			require.Equal(t, c.parked, count(t, b, `bus.dead_letters WHERE kind = 'undelivered' AND reason LIKE '50_ no response'`))
			require.Equal(t, c.parked, count(t, b, `bus.dead_letters`))
		})
	}
}
