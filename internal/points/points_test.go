package points_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/points"
)

func TestOrderUsesNoMoreThanItIsWorth_PTS_02(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		points, total int64
		ok            bool
	}{
		{0, 0, true},
		{1, 9, false},
		{110, 1100, true},
		{111, 1100, false},
		{110, 1109, true},
		{10_000, 1_000_000, true},
		{10_001, 1_000_000, false},
		{-1, 1100, false},
	} {
		require.Equal(t, c.ok, points.Wrong(c.points, c.total) == "", c)
	}
}

func TestEarnedIsRoundedDown_PTS_05(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 2, points.Earned(2500, 1000))
	require.EqualValues(t, 0, points.Earned(999, 1000))
	require.EqualValues(t, 0, points.Earned(5000, 0))
}

func TestRefundsReclaimWhatWasEarned_PTS_07(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		paid := rapid.Int64Range(1, 1_000_000).Draw(r, "paid")
		earned := points.Earned(paid, rapid.Int64Range(1, 5000).Draw(r, "per"))
		var reclaimed, refunded int64
		for refunded < paid {
			amount := rapid.Int64Range(1, paid-refunded).Draw(r, "amount")
			refunded += amount
			back := points.Reclaimed(earned, paid, refunded, amount)
			require.GreaterOrEqual(r, back, int64(0))
			reclaimed += back
		}
		require.Equal(r, earned, reclaimed)
	})
}
