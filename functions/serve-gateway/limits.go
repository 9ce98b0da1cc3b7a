package servegateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
)

const (
	shareEvery = 5                      // calls of one caller before other copies are told
	shareIn    = 100 * time.Millisecond // then the copy goes by what it knows
	callersMax = 100_000                // of whom a copy remembers how often they called
)

// limits counts calls by caller and minute. Copies tell each other every few calls, and at every call once a caller has
// used up three quarters: a limit is kept exactly by one copy, and over several but for a few calls of the same instant.
type limits struct {
	rate, staffRate int64
	share           func(ctx context.Context, caller string, minute time.Time, calls int64) (all int64, err error)

	mu     sync.Mutex
	minute time.Time
	counts map[string]*count
}

// count is how often a caller called: as all copies know, and here since they were told.
type count struct {
	mu        sync.Mutex
	all, here int64
}

func newLimits(settings config.Gateway, pool *pgxpool.Pool) *limits {
	l := &limits{rate: int64(settings.RateLimit), staffRate: int64(settings.StaffRateLimit)}
	if pool != nil {
		l.share = rates{pool}.add
	}
	return l
}

// Allow counts a call. It writes how many are left into the answer, and refuses the call when there were none.
func (l *limits) Allow(w http.ResponseWriter, r *http.Request, caller auth.Caller) *problem.Problem {
	rate, who := l.rate, r.Header.Get("X-Forwarded-For")
	if caller.ID != "" {
		who = caller.ID
	}
	if caller.IsStaff() || caller.Role == token.Client {
		rate = l.staffRate
	}
	if rate <= 0 {
		return nil
	}
	now := time.Now()
	minute := now.Truncate(time.Minute)
	left := rate - l.of(who, minute).add(rate, func(calls int64) (int64, error) {
		if l.share == nil {
			return calls, nil
		}
		ctx, cancel := context.WithTimeout(r.Context(), shareIn)
		defer cancel()
		return l.share(ctx, hashed(who), minute, calls)
	})
	reset := seconds(minute.Add(time.Minute).Sub(now))
	w.Header().Set("X-RateLimit-Limit", strconv.FormatInt(rate, 10))
	w.Header().Set("X-RateLimit-Remaining", strconv.FormatInt(max(left, 0), 10))
	w.Header().Set("X-RateLimit-Reset", reset)
	if left >= 0 {
		return nil
	}
	problem := problem.New(http.StatusTooManyRequests, "too-many", "too many calls in this minute")
	problem.RetryAfter, _ = strconv.Atoi(reset)
	return problem
}

// of is the count of a caller in a minute. Those of other minutes are forgotten.
func (l *limits) of(who string, minute time.Time) *count {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !minute.Equal(l.minute) || len(l.counts) >= callersMax {
		l.minute, l.counts = minute, map[string]*count{}
	}
	c := l.counts[who]
	if c == nil {
		c = &count{}
		l.counts[who] = c
	}
	return c
}

// add counts one call more and returns how many there are. Whoever is over the limit is not counted any further.
func (c *count) add(rate int64, share func(calls int64) (all int64, err error)) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all+c.here > rate {
		return c.all + c.here
	}
	c.here++
	if c.here >= shareEvery || c.all+c.here > rate*3/4 {
		if all, err := share(c.here); err == nil {
			c.all, c.here = max(all, c.all+c.here), 0
		}
	}
	return c.all + c.here
}

// hashed is a caller as the database knows it: addresses are personal.
func hashed(who string) string {
	sum := sha256.Sum256([]byte(who))
	return hex.EncodeToString(sum[:16])
}
