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
	askIn    = time.Second
	lateFrom = 15 * time.Minute // then an event that nobody has heard is a fault
)

// dependency is a part that the shop depends on, and whether it answers.
type dependency struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	MS     int64  `json:"ms"`
	needed bool
}

// status names what the shop depends on: its database, its events, who else it was told of, and its functions. A function
// that sleeps works; one that fails again and again does not. Without the mail server, say, orders go on and mails wait:
// it is named, and the answer is 200.
func (o *builtin) status(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), askIn)
	defer cancel()
	all := append(o.events(ctx), o.others(ctx)...)
	for _, function := range slices.Sorted(maps.Keys(o.upstreams)) {
		closed := slices.ContainsFunc(o.upstreams[function], func(u *upstream) bool { return !u.works() })
		all = append(all, dependency{Name: function, OK: !closed, needed: true})
	}
	w.Header().Set("Content-Type", "application/json")
	if slices.ContainsFunc(all, func(d dependency) bool { return d.needed && !d.OK }) {
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"version": cmp.Or(o.revision, "local"), "dependencies": all})
}

// events are the database, and what it holds of the events. Dead letters wait for a person; the shop takes orders meanwhile.
func (o *builtin) events(ctx context.Context) []dependency {
	began := time.Now()
	standing, err := readStanding(ctx, o.pool)
	took := time.Since(began).Milliseconds()
	return []dependency{
		{"postgres", err == nil, took, true},
		{"events", err == nil && standing.Oldest < lateFrom, took, true},
		{"dead-letters", err == nil && standing.Parked == 0, took, false},
	}
}

// others asks all others at the same time.
func (o *builtin) others(ctx context.Context) []dependency {
	all := make([]dependency, len(o.outside))
	var asking sync.WaitGroup
	for i, name := range slices.Sorted(maps.Keys(o.outside)) {
		asking.Go(func() {
			began := time.Now()
			err := o.outside[name](ctx)
			all[i] = dependency{name, err == nil, time.Since(began).Milliseconds(), name == "broker"}
		})
	}
	asking.Wait()
	return all
}

// known are those whom the program knows, and those of the settings.
func known(outside function.Dependencies, settings map[string]string) function.Dependencies {
	all := function.Dependencies{}
	maps.Copy(all, outside)
	for name, address := range settings {
		all[name] = function.DialCheck(address)
	}
	return all
}
