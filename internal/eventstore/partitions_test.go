package eventstore_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/eventstore"
)

// parts are the partitions of the log of events.
func parts(t testing.TB, b bundle) (names []string) {
	t.Helper()
	rows, err := b.pool.Query(t.Context(), `SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'bus.event'::regclass ORDER BY 1`)
	require.NoError(t, err)
	names, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return names
}

func drop(t testing.TB, b bundle) error {
	t.Helper()
	return eventstore.DropMonth(t.Context(), b.pool, time.Now().UTC())
}

// requireNotDropped checks that this month is not dropped, and that the reason is in our words.
func requireNotDropped(t testing.TB, b bundle, why string) {
	t.Helper()
	require.EqualError(t, drop(t, b), "drop month "+time.Now().UTC().Format("2006-01")+": "+why)
}

func TestAnEventLiesInTheMonthOfItsID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	emit(t, b.pool, 0)
	var part string
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT tableoid::regclass::text FROM bus.event`).Scan(&part))
	require.Equal(t, "bus.event_"+time.Now().UTC().Format("2006_01"), part)
}

func TestMonthsAreMadeAheadOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Len(t, parts(t, b), 1+2, "one month ahead, and the rest")
	for _, c := range []struct{ ahead, made int }{{1, 0}, {3, 4}, {3, 0}} {
		var made int
		require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT bus.make_months($1)`, c.ahead).Scan(&made))
		require.Equal(t, c.made, made)
	}
	b.sweep(t)
}

func TestMonthsAreMadeWhateverTheServersTimeZone(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Asia/Tokyo"} {
		b := setup(t)
		tx := open(t, b.pool)
		_, err := tx.Exec(t.Context(), `SET LOCAL timezone = '`+zone+`'`)
		require.NoError(t, err)
		var made int
		require.NoError(t, tx.QueryRow(t.Context(), `SELECT bus.make_months(15)`).Scan(&made))
		require.Equal(t, 2*14, made, zone)
	}
}

// A shop that slept for months emits an event before the months' partitions are made.
func TestAMonthWithEventsInTheDefaultPartitionFailsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `
		INSERT INTO bus.event (event_id, type, source, subject, causation_id, n, data)
		VALUES (bus.first_id_of(now() + interval '4 months 5 days'), 'x', 'x', 'x', gen_random_uuid(), 0, '{}')`)
	var made int
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT bus.make_months(6)`).Scan(&made))
	require.Equal(t, 2*5-1, made, "all but that month's events")
}

func TestAMonthIsDroppedOnceAllItsEventsAreDelivered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	requireNotDropped(t, b, "it is not swept yet")
	b.sweepAll(t)
	requireNotDropped(t, b, "some of its events are not delivered")
	handle(t, b, id, "send-email", "reserve-stock")
	b.sweep(t)
	parked := park(t, b, id, "send-email", "poison")
	requireNotDropped(t, b, "some of its events are dead letters")
	b.exec(t, `UPDATE bus.dead_letters SET resolved_at = now() WHERE dead_letter_id = $1`, parked)
	require.NoError(t, drop(t, b))
	require.Len(t, parts(t, b), 2)
	require.Zero(t, count(t, b, `bus.event`))
	require.Zero(t, count(t, b, `bus.inbox`))
	b.sweep(t)
	require.Len(t, parts(t, b), 3, "made again")
}

func TestAMonthWithoutALogOfItsOwnCannotBeDropped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const why = ": there is no log of it alone: nothing was said in it, or it began before its log was made"
	long := time.Date(2020, time.February, 1, 0, 0, 0, 0, time.UTC)
	require.EqualError(t, eventstore.DropMonth(t.Context(), b.pool, long), "drop month 2020-02"+why)
	b.exec(t, `CREATE TABLE bus.inbox_2020_02 PARTITION OF bus.inbox
		FOR VALUES FROM ('016ffde0-0000-7000-8000-000000000000') TO ('01709330-0000-7000-8000-000000000000')`)
	require.EqualError(t, eventstore.DropMonth(t.Context(), b.pool, long), "drop month 2020-02"+why, "its events are with the rest")
	require.Len(t, parts(t, b), 3, "nothing is dropped")
}

func TestTheFirstIDOfAMomentLiesBeforeAllOfIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, err := uuid.NewV7()
	require.NoError(t, err)
	seconds, nanos := made.Time().UnixTime()
	at := time.Unix(seconds, nanos).UTC()
	var before, after bool
	require.NoError(t, b.pool.QueryRow(t.Context(), `
		SELECT bus.first_id_of($1) <= $2::uuid, $2::uuid < bus.first_id_of($1 + interval '2 ms')`, at, made.String()).Scan(&before, &after))
	require.True(t, before)
	require.True(t, after)
}
