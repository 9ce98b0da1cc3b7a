package servegateway

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/popup-shop/popup/internal/function"
)

const (
	checkTimeout = time.Second
	lateAfter    = 15 * time.Minute // an event that is undelivered for longer is a failure
)

// dependency is the state of a part that the shop depends on. If a needed part fails, the status is 503.
type dependency struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	MS     int64  `json:"ms"`
	needed bool
}

// status responds with the state of the database, the events, the other configured dependencies and the functions. A
// function that is scaled to zero is OK; one whose circuit breaker is open is not. A dependency that orders do not need
// does not change the status code: without the mail server, for example, mails wait and the response is 200.
func (b *builtin) status(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	all := append(b.checkEvents(ctx), b.checkDependencies(ctx)...)
	for _, function := range slices.Sorted(maps.Keys(b.upstreams)) {
		closed := slices.ContainsFunc(b.upstreams[function], func(u *upstream) bool { return !u.works() })
		all = append(all, dependency{Name: function, OK: !closed, needed: true})
	}
	w.Header().Set("Content-Type", "application/json")
	if slices.ContainsFunc(all, func(d dependency) bool { return d.needed && !d.OK }) {
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"version": cmp.Or(b.revision, "local"), "dependencies": all})
}

// checkEvents returns the state of the database, of the undelivered events and of the dead letters. Dead letters do not
// stop the shop.
func (b *builtin) checkEvents(ctx context.Context) []dependency {
	began := time.Now()
	standing, err := readEventStatus(ctx, b.pool)
	took := time.Since(began).Milliseconds()
	return []dependency{
		{"postgres", err == nil, took, true},
		{"events", err == nil && standing.Oldest < lateAfter, took, true},
		{"dead-letters", err == nil && standing.DeadLetters == 0, took, false},
	}
}

// checkDependencies checks the other dependencies concurrently.
func (b *builtin) checkDependencies(ctx context.Context) []dependency {
	all := make([]dependency, len(b.dependencies))
	var asking sync.WaitGroup
	for i, name := range slices.Sorted(maps.Keys(b.dependencies)) {
		asking.Go(func() {
			began := time.Now()
			err := b.dependencies[name](ctx)
			all[i] = dependency{name, err == nil, time.Since(began).Milliseconds(), name == "broker"}
		})
	}
	asking.Wait()
	return all
}

// mergeDependencies returns the dependencies of the program and those of the settings.
func mergeDependencies(outside function.Dependencies, settings map[string]string) function.Dependencies {
	all := function.Dependencies{}
	maps.Copy(all, outside)
	for name, address := range settings {
		all[name] = function.DialCheck(address)
	}
	return all
}
