package serveorders

import (
	"context"
	"encoding/json"
	"time"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/eventview"
	"github.com/popup-shop/popup/internal/ordertrace"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/web"
)

// Event is an event of an order. Only staff see its data, and what became of it.
type Event struct {
	ID        string               `json:"id" format:"uuid"`
	Type      string               `json:"type" example:"order.placed"`
	Alias     string               `json:"alias,omitempty" example:"ORDER_REQUESTED"`
	Time      time.Time            `json:"time"`
	Cause     string               `json:"causation_id"`
	Emitter   string               `json:"emitter,omitempty" example:"place-order" doc:"The function that emitted it. For staff only."`
	Consumers []eventview.Consumer `json:"consumers,omitempty" nullable:"false" doc:"What became of it at each function that consumes it. For staff only."`
	Data      json.RawMessage      `json:"data,omitempty" doc:"The data of the event. For staff only."`
}

// Step is what a function did for an order, or is to do.
type Step struct {
	Function   string     `json:"function" example:"reserve-stock"`
	Event      string     `json:"event,omitempty" example:"order.placed" doc:"The type of the event that it consumes; empty for a request or a schedule."`
	EventID    string     `json:"event_id,omitempty" format:"uuid"`
	Emits      []string   `json:"emits" nullable:"false" doc:"The types of the events that it emitted."`
	Depth      int        `json:"depth" doc:"How many steps led to it: it is below the last step before it that has one less."`
	State      string     `json:"state" enum:"waiting,handled,dead_letter"`
	Start      time.Time  `json:"start" doc:"When its transaction began, or since when the event waits for it."`
	End        *time.Time `json:"end,omitempty" doc:"When the first function after it began; left out where none follows."`
	DurationMS *int64     `json:"duration_ms,omitempty" doc:"From start to end, in milliseconds."`
	Attempts   int        `json:"attempts,omitempty" doc:"Rounds of attempts so far, if the first one failed."`
	Reason     string     `json:"reason,omitempty" doc:"Why it is a dead letter."`
}

// Events are all events of an order, in the order in which they were emitted, and the steps of functions as a tree.
type Events struct {
	Body struct {
		Items []Event `json:"items"`
		Steps []Step  `json:"steps,omitempty" nullable:"false" doc:"What the functions did, each below what caused it. For staff only."`
	}
}

func readEvents(ctx context.Context, db web.Reader, in *ReadRequest) (*Events, error) {
	orderID, err := orderview.IDOf(ctx, db, in.ID)
	if err != nil {
		return nil, err
	}
	entries, err := eventstore.LogOfOrder(ctx, db, orderID)
	if err != nil {
		return nil, err
	}
	answer := &Events{}
	answer.Body.Items = make([]Event, len(entries))
	isStaff := auth.CallerFrom(ctx).IsStaff()
	for i, e := range entries {
		answer.Body.Items[i] = eventOf(eventview.Of(e), isStaff)
	}
	if isStaff {
		answer.Body.Steps = stepsOf(ordertrace.Of(entries))
	}
	return answer, nil
}

func eventOf(e eventview.Event, isStaff bool) Event {
	shown := Event{ID: e.ID, Type: e.Type, Alias: e.Alias, Time: e.Time, Cause: e.CausationID}
	if isStaff {
		shown.Emitter, shown.Consumers, shown.Data = e.Emitter, e.Consumers, e.Data
	}
	return shown
}

func stepsOf(trace []ordertrace.Step) []Step {
	steps := make([]Step, len(trace))
	for i, s := range trace {
		steps[i] = Step{
			Function: s.Function, Event: s.Event, EventID: s.EventID, Emits: s.Emits, Depth: s.Depth, State: s.State, Start: s.Start,
			End: s.End, Attempts: s.Attempts, Reason: s.Reason,
		}
		if s.End != nil {
			took := s.End.Sub(s.Start).Milliseconds()
			steps[i].DurationMS = &took
		}
	}
	return steps
}
