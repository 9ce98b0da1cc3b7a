package ledger_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const thisMonth = `date_trunc('month', now() AT TIME ZONE 'UTC')::date`

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
	_, err := b.pool.Exec(t.Context(), `SELECT bus.drop_month(`+thisMonth+`)`)
	return err
}

func TestAnEventLiesInTheMonthOfItsID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	say(t, b.pool, 0)
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

// A shop that slept for months wakes up and says something before its months are made.
func TestAMonthWhoseEventsAreElsewhereAlreadyStopsNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `
		INSERT INTO bus.event (event_id, type, source, subject, causation_id, n, data)
		VALUES (bus.first_id_of(now() + interval '4 months 5 days'), 'x', 'x', 'x', gen_random_uuid(), 0, '{}')`)
	var made int
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT bus.make_months(6)`).Scan(&made))
	require.Equal(t, 2*5-1, made, "all but that month's events")
}

func TestAMonthIsDroppedOnceNobodyWaitsForAnythingInIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := say(t, b.pool, old)
	require.ErrorContains(t, drop(t, b), "not swept")
	b.sweepPast(t)
	require.ErrorContains(t, drop(t, b), "not heard")
	hear(t, b, id, "send-email", "reserve-stock")
	b.sweep(t)
	parked := park(t, b, id, "send-email", "poison")
	require.ErrorContains(t, drop(t, b), "parked")
	b.exec(t, `UPDATE bus.parked SET resolved_at = now() WHERE parked_id = $1`, parked)
	require.NoError(t, drop(t, b))
	require.Len(t, parts(t, b), 2)
	require.Zero(t, count(t, b, `bus.event`))
	require.Zero(t, count(t, b, `bus.inbox`))
	b.sweep(t)
	require.Len(t, parts(t, b), 3, "made again")
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
