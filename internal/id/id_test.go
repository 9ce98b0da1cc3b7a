package id_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/id"
)

// origin is what an id is derived from.
type origin struct{ speaker, cause, discriminator string }

func (o origin) derive(t require.TestingT) uuid.UUID {
	derived, err := id.Derive(o.speaker, o.cause, o.discriminator)
	require.NoError(t, err)
	parsed, err := uuid.Parse(derived)
	require.NoError(t, err)
	require.Equal(t, parsed.String(), derived, "in the usual form")
	return parsed
}

// drawOrigin draws a function's name, the id of a cause, and a number or a word.
func drawOrigin(t *rapid.T, label string) origin {
	var cause uuid.UUID
	copy(cause[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, label+" cause"))
	return origin{
		speaker:       rapid.StringMatching(`[a-z]{1,8}-[a-z]{1,8}`).Draw(t, label+" speaker"),
		cause:         cause.String(),
		discriminator: rapid.StringMatching(`[0-9]{1,3}|[a-z]{0,8}`).Draw(t, label+" discriminator"),
	}
}

func TestAnIdIsTheSameOnEveryRetry(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		of := drawOrigin(t, "of")
		require.Equal(t, of.derive(t), of.derive(t))
	})
}

func TestIdsDifferBySpeakerCauseAndNumber(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawOrigin(t, "a"), drawOrigin(t, "b")
		for _, other := range []origin{
			{b.speaker, a.cause, a.discriminator}, {a.speaker, b.cause, a.discriminator}, {a.speaker, a.cause, b.discriminator},
		} {
			require.Equal(t, a == other, a.derive(t) == other.derive(t))
		}
	})
}

func TestNoIdOfManyIsThereTwice(t *testing.T) {
	t.Parallel()
	cause, seen := "019c1363-49c0-73ee-b7e9-6e59ce40f9cb", map[uuid.UUID]bool{}
	for _, speaker := range []string{"reserve-stock", "create-payment", "track-order"} {
		for n := range 5000 {
			seen[origin{speaker, cause, fmt.Sprint(n)}.derive(t)] = true
		}
	}
	require.Len(t, seen, 15_000)
}

func TestAnIdKeepsTheTimeOfItsCause(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		of := drawOrigin(t, "of")
		cause := uuid.MustParse(of.cause)
		derived := of.derive(t)
		require.Equal(t, cause[:6], derived[:6])
	})
}

func TestAnIdOfAnIdOfAnOrderKeepsTheTimeOfTheOrder(t *testing.T) {
	t.Parallel()
	order, err := uuid.NewV7()
	require.NoError(t, err)
	paid := origin{"create-payment", origin{"reserve-stock", order.String(), "0"}.derive(t).String(), "1"}.derive(t)
	milliseconds := int64(0)
	for _, b := range paid[:6] {
		milliseconds = milliseconds<<8 | int64(b)
	}
	require.WithinDuration(t, time.Now(), time.UnixMilli(milliseconds), time.Minute)
}

func TestAnIDHasTheVersionOfOurForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		derived := drawOrigin(t, "of").derive(t)
		require.EqualValues(t, 8, derived.Version())
		require.Equal(t, uuid.RFC4122, derived.Variant())
	})
}

func TestTheIdsOfTodayAreThoseOfTomorrow(t *testing.T) {
	t.Parallel()
	derived := origin{"reserve-stock", "019c1363-49c0-73ee-b7e9-6e59ce40f9cb", "0"}.derive(t)
	require.Equal(t, "019c1363-49c0-8eb8-b609-4460ea4b5701", derived.String())
}

func TestACauseThatIsNoIdIsRefused(t *testing.T) {
	t.Parallel()
	for _, cause := range []string{"", "7", "019c1363-49c0-73ee-b7e9", "019c1363-49c0-73ee-b7e9-6e59ce40f9cg"} {
		_, err := id.Derive("reserve-stock", cause, "0")
		require.ErrorContains(t, err, fmt.Sprintf("derive id from cause %q", cause))
	}
}

func TestOnlyTheUsualFormOfAUUIDIsValid(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"01a2008b-abdc-7bf8-8bf3-e0bc21714931":          true,
		"01A2008B-ABDC-7BF8-8BF3-E0BC21714931":          true,
		"01a2008babdc7bf88bf3e0bc21714931":              false,
		"{01a2008b-abdc-7bf8-8bf3-e0bc21714931}":        false,
		"urn:uuid:01a2008b-abdc-7bf8-8bf3-e0bc21714931": false,
		"01a2008b-abdc-7bf8-8bf3-e0bc2171493g":          false,
		"":                                              false,
	} {
		require.Equal(t, want, id.Valid(text), text)
	}
}
