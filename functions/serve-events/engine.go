package serveevents

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/invariant"
	"github.com/popup-shop/popup/internal/web"
	"github.com/popup-shop/popup/schemas"
)

const (
	functionsFor = 5 * time.Second  // how long figures of functions are kept
	flowFor      = 30 * time.Second // and those of the flow
	checksFor    = 30 * time.Second // and the results of checks
)

// Function is a function with what it did lately. It comes from the event store, since a function at zero has no metrics.
type Function struct {
	Name        string     `json:"name"`
	StartedBy   string     `json:"started_by" enum:"events,schedule,dead letters,requests"`
	Consumes    []string   `json:"consumes" nullable:"false"`
	Emits       []string   `json:"emits" nullable:"false"`
	LastRun     *time.Time `json:"last_run,omitempty" doc:"When it last handled or emitted an event, within a day. Requests that only read leave no trace."`
	Handled     int64      `json:"handled" doc:"Events in the last hour."`
	Emitted     int64      `json:"emitted" doc:"Events in the last hour."`
	Waiting     int64      `json:"waiting" doc:"Events that it has not handled within some seconds, as of the last sweep."`
	Late        int64      `json:"late" doc:"Of these, those that have waited for over 15 minutes."`
	OldestAt    *time.Time `json:"oldest_at,omitempty" doc:"Since when the oldest of these waits."`
	Errors      int64      `json:"errors" doc:"How often these were delivered in vain, and the open dead letters."`
	DeadLetters int64      `json:"dead_letters" doc:"Dead letters that wait for a person."`
}

// FunctionsAnswer lists all functions.
type FunctionsAnswer struct {
	Body struct {
		Items []Function `json:"items" nullable:"false"`
		AsOf  time.Time  `json:"as_of"`
	}
}

// FlowRequest asks for the flow of events.
type FlowRequest struct {
	Period string `query:"period" enum:"hour,day" default:"hour" doc:"The last hour, or the last 24."`
}

// Arrow is how many events of a type went from or to a function.
type Arrow struct {
	Function string `json:"function"`
	Type     string `json:"type"`
	Events   int64  `json:"events"`
}

// FlowAnswer is the flow of events between functions, with a number for each arrow.
type FlowAnswer struct {
	Body struct {
		Period  string    `json:"period" enum:"hour,day"`
		Emitted []Arrow   `json:"emitted" nullable:"false" doc:"From the function that emits the type."`
		Handled []Arrow   `json:"handled" nullable:"false" doc:"To a function that consumes the type."`
		AsOf    time.Time `json:"as_of"`
	}
}

// Check is a promise of the shop that takes more than one transaction to keep.
type Check struct {
	Domain  string `json:"domain"`
	Promise string `json:"promise"`
	Broken  int    `json:"broken" doc:"How often it is broken; 0 is right."`
}

// ChecksAnswer is the result of each check.
type ChecksAnswer struct {
	Body struct {
		Items []Check   `json:"items" nullable:"false"`
		AsOf  time.Time `json:"as_of"`
	}
}

// declared are the functions as the contract lists them.
type declared struct {
	Name      string   `json:"name"`
	StartedBy string   `json:"started_by"`
	Consumes  []string `json:"consumes"`
	Emits     []string `json:"emits"`
}

var readDeclared = sync.OnceValues(func() (all []declared, err error) {
	text, err := schemas.Files.ReadFile("functions.json")
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	return all, err
})

// kept keeps an answer for a time. The account of each caller is checked, since what is kept is read without it. Requests that come while it is made wait for it.
type kept[T any] struct {
	mu   sync.Mutex
	at   time.Time
	last *T
}

// get returns the answer that is kept, or makes one.
func (k *kept[T]) get(atMost time.Duration, load func() (*T, error)) (*T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last != nil && time.Since(k.at) < atMost {
		return k.last, nil
	}
	made, err := load()
	if err == nil {
		k.last, k.at = made, time.Now()
	}
	return made, err
}

func (h *handler) listFunctions(ctx context.Context, db web.Reader, _ *struct{}) (*FunctionsAnswer, error) {
	if err := auth.CheckAccount(ctx, db); err != nil {
		return nil, err
	}
	return h.functions.get(functionsFor, func() (*FunctionsAnswer, error) { return readFunctions(ctx, db) })
}

func readFunctions(ctx context.Context, db web.Reader) (*FunctionsAnswer, error) {
	all, err := readDeclared()
	if err != nil {
		return nil, err
	}
	activities, err := eventstore.ReadActivity(ctx, db)
	if err != nil {
		return nil, err
	}
	byName := map[string]eventstore.Activity{}
	for _, a := range activities {
		byName[a.Function] = a
	}
	answer := &FunctionsAnswer{}
	answer.Body.AsOf = time.Now().UTC()
	for _, d := range all {
		a := byName[d.Name]
		answer.Body.Items = append(answer.Body.Items, Function{
			Name: d.Name, StartedBy: d.StartedBy, Consumes: d.Consumes, Emits: d.Emits, LastRun: utc(a.LastRun), Handled: a.Handled,
			Emitted: a.Emitted, Waiting: a.Waiting, Late: a.Late, OldestAt: utc(a.OldestAt), Errors: a.Retries + a.DeadLetters,
			DeadLetters: a.DeadLetters,
		})
	}
	return answer, nil
}

// utc returns a time in UTC, or nil.
func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	in := at.UTC()
	return &in
}

func (h *handler) readFlow(ctx context.Context, db web.Reader, in *FlowRequest) (*FlowAnswer, error) {
	if err := auth.CheckAccount(ctx, db); err != nil {
		return nil, err
	}
	flow, since := &h.lastHour, time.Hour
	if in.Period == "day" {
		flow, since = &h.lastDay, 24*time.Hour
	}
	return flow.get(flowFor, func() (*FlowAnswer, error) { return countFlow(ctx, db, in.Period, time.Now().Add(-since)) })
}

// countFlow returns each arrow that the functions declare, with how many events took it.
func countFlow(ctx context.Context, db web.Reader, period string, since time.Time) (*FlowAnswer, error) {
	all, err := readDeclared()
	if err != nil {
		return nil, err
	}
	emitted, err := eventstore.ReadEmitted(ctx, db, since)
	if err != nil {
		return nil, err
	}
	handled, err := eventstore.ReadHandled(ctx, db, since)
	if err != nil {
		return nil, err
	}
	answer := &FlowAnswer{}
	answer.Body.Period, answer.Body.AsOf = period, time.Now().UTC()
	counts, handledCounts := countsOf(emitted), countsOf(handled)
	answer.Body.Emitted, answer.Body.Handled = []Arrow{}, []Arrow{}
	for _, d := range all {
		answer.Body.Emitted = append(answer.Body.Emitted, arrows(d.Name, d.Emits, counts)...)
		answer.Body.Handled = append(answer.Body.Handled, arrows(d.Name, d.Consumes, handledCounts)...)
	}
	return answer, nil
}

func countsOf(all []eventstore.Arrow) map[[2]string]int64 {
	counts := map[[2]string]int64{}
	for _, a := range all {
		counts[[2]string{a.Function, a.Type}] = a.Events
	}
	return counts
}

func arrows(function string, types []string, counts map[[2]string]int64) (all []Arrow) {
	for _, eventType := range types {
		all = append(all, Arrow{function, eventType, counts[[2]string{function, eventType}]})
	}
	return all
}

// runChecks checks every promise, at most twice a minute for all callers together.
func (h *handler) runChecks(ctx context.Context, tx pgx.Tx, _ *struct{}) (*ChecksAnswer, []events.Event, error) {
	if err := auth.CheckAccount(ctx, tx); err != nil {
		return nil, nil, err
	}
	answer, err := h.checks.get(checksFor, func() (*ChecksAnswer, error) { return check(ctx, tx) })
	return answer, nil, err
}

func check(ctx context.Context, tx pgx.Tx) (*ChecksAnswer, error) {
	if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '30s'`); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	results, err := invariant.CheckIn(ctx, tx, false)
	if err != nil {
		return nil, err
	}
	answer := &ChecksAnswer{}
	answer.Body.AsOf = time.Now().UTC()
	answer.Body.Items = []Check{}
	for _, r := range results {
		answer.Body.Items = append(answer.Body.Items, Check{r.Domain, r.Promise, r.Broken})
	}
	return answer, nil
}
