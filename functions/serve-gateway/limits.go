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
	shareEvery   = 5                      // requests of a caller between two writes to the shared count
	shareTimeout = 100 * time.Millisecond // after this time an instance goes by its own count
	maxCallers   = 100_000                // callers that an instance counts
)

// limits counts requests by caller and minute. An instance adds its count to the shared one in the database after every
// five requests of a caller, and at every request once the caller has used three quarters of the limit. So one instance
// keeps a limit exactly; several may together admit a few concurrent requests too many.
type limits struct {
	rate, staffRate int64
	share           func(ctx context.Context, caller string, minute time.Time, calls int64) (all int64, err error)

	mu     sync.Mutex
	minute time.Time
	counts map[string]*counter
}

// counter is the number of a caller's requests in a minute: all is the shared count, here the requests of this instance
// since the last write.
type counter struct {
	mu            sync.Mutex
	shared, local int64
}

func newLimits(settings config.Gateway, pool *pgxpool.Pool) *limits {
	l := &limits{rate: int64(settings.RateLimit), staffRate: int64(settings.StaffRateLimit)}
	if pool != nil {
		l.share = rates{pool}.add
	}
	return l
}

// Allow counts a request, sets the rate limit headers of the response and returns a problem if the limit is exceeded.
// Requests without a valid token are counted by the network that they come from.
func (l *limits) Allow(w http.ResponseWriter, r *http.Request, caller auth.Caller) *problem.Problem {
	rate := l.rate
	key := auth.NetworkOf(r.Header.Get("X-Forwarded-For"))
	if caller.ID != "" {
		key = caller.ID
	}
	if caller.IsStaff() || caller.Role == token.Client {
		rate = l.staffRate
	}
	if rate <= 0 {
		return nil
	}
	now := time.Now()
	minute := now.Truncate(time.Minute)
	left := rate - l.counterOf(key, minute).add(rate, func(calls int64) (int64, error) {
		if l.share == nil {
			return calls, nil
		}
		ctx, cancel := context.WithTimeout(r.Context(), shareTimeout)
		defer cancel()
		return l.share(ctx, hashCaller(key), minute, calls)
	})
	reset := seconds(minute.Add(time.Minute).Sub(now))
	setRateLimit(w.Header(), rate, max(left, 0), reset)
	if left >= 0 {
		return nil
	}
	problem := problem.New(http.StatusTooManyRequests, "too-many", "There were too many requests in this minute.")
	problem.RetryAfter, _ = strconv.Atoi(reset)
	return problem
}

// setRateLimit sets the headers that report a limit, what is left of it, and in how many seconds it begins anew: in the
// usual form, and as draft-ietf-httpapi-ratelimit-headers has it.
func setRateLimit(h http.Header, rate, left int64, reset string) {
	limit, remaining := strconv.FormatInt(rate, 10), strconv.FormatInt(left, 10)
	h.Set("X-RateLimit-Limit", limit)
	h.Set("X-RateLimit-Remaining", remaining)
	h.Set("X-RateLimit-Reset", reset)
	h.Set("RateLimit-Policy", `"minute";q=`+limit+`;w=60`)
	h.Set("RateLimit", `"minute";r=`+remaining+`;t=`+reset)
}

// counterOf returns the count of a caller in a minute. It deletes the counts of other minutes.
func (l *limits) counterOf(caller string, minute time.Time) *counter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !minute.Equal(l.minute) || len(l.counts) >= maxCallers {
		l.minute, l.counts = minute, map[string]*counter{}
	}
	c := l.counts[caller]
	if c == nil {
		c = &counter{}
		l.counts[caller] = c
	}
	return c
}

// add counts a request and returns the total. Requests over the limit are not counted.
func (c *counter) add(rate int64, share func(calls int64) (all int64, err error)) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shared+c.local > rate {
		return c.shared + c.local
	}
	c.local++
	if c.local >= shareEvery || c.shared+c.local > rate*3/4 {
		if all, err := share(c.local); err == nil {
			c.shared, c.local = max(all, c.shared+c.local), 0
		}
	}
	return c.shared + c.local
}

// hashCaller returns the key of a caller in the database. Addresses are personal data, so it is a hash.
func hashCaller(caller string) string {
	sum := sha256.Sum256([]byte(caller))
	return hex.EncodeToString(sum[:16])
}
