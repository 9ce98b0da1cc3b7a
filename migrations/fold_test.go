package migrations_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// fact is one entry of a provider's books about a payment.
type fact struct {
	kind   string
	amount int64
	object string // the provider's, such as a capture or a refund
}

// sums are what the facts about a payment come to.
type sums struct {
	Status             string
	Captured, Refunded int64
	Facts              int
}

// books are all facts about a payment of some amount, in the order in which they happened: it was opened; then it was
// closed unpaid in one way or two, or captured in parts, or both where the money came too late for closing; then parts
// of it went back.
func books(r *rand.Rand) (amount int64, facts []fact) {
	amount = r.Int64N(10_000)
	add := func(kind string, amounts ...int64) {
		for n, amount := range amounts {
			facts = append(facts, fact{kind, amount, fmt.Sprint(kind, n)})
		}
	}
	if r.IntN(10) > 0 { // a payment that was opened too late has no such entry
		add("created", amount)
	}
	for _, way := range r.Perm(3)[:r.IntN(3)] {
		add([]string{"failed", "expired", "voided"}[way], 0)
	}
	if r.IntN(4) > 0 {
		captured := r.Int64N(amount + 1)
		add("captured", parts(r, captured)...)
		if refunded := captured * r.Int64N(3) / 2; 0 < refunded && refunded <= captured { // nothing, half or all of it
			add("refunded", parts(r, refunded)...)
		}
	}
	return amount, facts
}

// parts are one to three parts of a sum, none of them nothing unless the sum is.
func parts(r *rand.Rand, sum int64) (all []int64) {
	for range r.IntN(3) {
		if part := r.Int64N(sum + 1); 0 < part && part < sum {
			all, sum = append(all, part), sum-part
		}
	}
	return append(all, sum)
}

// fold is what facts come to, in whatever order they stand, as payments.md has it.
func fold(facts []fact) (s sums) {
	s.Status, s.Facts = "opening", len(facts)
	has := func(kind string) bool { return slices.ContainsFunc(facts, func(f fact) bool { return f.kind == kind }) }
	for _, f := range facts {
		switch f.kind {
		case "captured":
			s.Captured += f.amount
		case "refunded":
			s.Refunded += f.amount
		}
	}
	for _, kind := range []string{"created", "expired", "failed", "voided"} {
		if has(kind) {
			s.Status = kind
		}
	}
	if has("captured") {
		s.Status = "paid"
	}
	if s.Refunded > 0 && s.Refunded == s.Captured {
		s.Status = "refunded"
	}
	return s
}

// enter stores facts about a payment of its own as functions do, and returns what they come to. A fact that is known is
// no news; one that comes before its time, a refund before its capture, is refused and comes again.
func enter(t *testing.T, db *pgxpool.Pool, id string, amount int64, facts []fact) (s sums) {
	t.Helper()
	_, err := db.Exec(t.Context(), `
		WITH placed AS (SELECT test.place($1))
		INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency)
		SELECT $1, $1, 'simulated', 'simulated', $2, 'EUR' FROM placed`, id, amount)
	require.NoError(t, err)
	for left := facts; len(left) > 0; {
		var early []fact
		for _, f := range left {
			_, err := db.Exec(t.Context(), `
				INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
				VALUES ($1, $2, $3, 'EUR', 'simulated', $4)
				ON CONFLICT DO NOTHING`, id, f.kind, f.amount, id+f.object)
			if err != nil {
				requireRefused(t, err, "refunds_within_captures")
				early = append(early, f)
			}
		}
		require.Less(t, len(early), len(left), "every fact finds its time: %v", facts)
		left = early
	}
	require.NoError(t, db.QueryRow(t.Context(), `
		SELECT status, captured_minor, refunded_minor, (SELECT count(*) FROM payments.entries e WHERE e.payment_id = p.payment_id)
		FROM payments.payments p WHERE payment_id = $1`, id).Scan(&s.Status, &s.Captured, &s.Refunded, &s.Facts))
	return s
}

// PAY-36.
func TestAPaymentIsTheSameInEveryOrderOfItsFacts(t *testing.T) {
	t.Parallel()
	const lists, atOnce = 1000, 4
	db := filled(t)
	for first := range atOnce {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			t.Parallel()
			for n := first; n < lists; n += atOnce {
				r := rand.New(rand.NewPCG(0, uint64(n)))
				amount, facts := books(r)
				want := fold(facts)
				id := func(copy int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012x", 0x1000+2*n+copy) }
				require.Equal(t, want, enter(t, db, id(0), amount, facts), "%d: %v", n, facts)

				again := slices.Concat(facts, facts)
				r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
				require.Equal(t, want, enter(t, db, id(1), amount, again), "%d: %v", n, again)
			}
		})
	}
}
