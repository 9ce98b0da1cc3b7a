package local

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/jetstream"
)

// InProcess are functions in this program, called without HTTP.
type InProcess struct {
	Runtime *function.Runtime
	byName  map[string]*function.Function
	doors   map[string]http.Handler
}

// NewInProcess makes the functions ready to be called.
func NewInProcess(rt *function.Runtime, all []function.Function) *InProcess {
	t := &InProcess{Runtime: rt, byName: map[string]*function.Function{}, doors: map[string]http.Handler{}}
	for i := range all {
		t.byName[all[i].Name] = &all[i]
		t.doors[all[i].Name] = rt.ServeMux(&all[i])
	}
	return t
}

// Handler is the HTTP face of a function.
func (t *InProcess) Handler(name string) http.Handler { return t.doors[name] }

// Deliver hands an event to a function: to one that stores dead letters, with what is known about its delivery.
func (t *InProcess) Deliver(ctx context.Context, name string, e jetstream.Event) jetstream.Response {
	f := t.byName[name]
	if f.DeadLetters != nil {
		dead, err := cloudevent.FromDeadAttributes(e.Attributes, e.Data)
		if err != nil {
			return responseTo(err)
		}
		return responseTo(t.Runtime.StoreDeadLetter(ctx, f, dead))
	}
	m, err := cloudevent.FromAttributes(e.Attributes, e.Data)
	if err != nil {
		return responseTo(err)
	}
	return responseTo(t.Runtime.Deliver(ctx, f, m))
}

// responseTo returns how a function's program responds over HTTP.
func responseTo(err error) jetstream.Response {
	if err == nil {
		return jetstream.Response{Status: http.StatusOK}
	}
	status := http.StatusServiceUnavailable
	if errors.Is(err, function.ErrOverloaded) {
		status = http.StatusTooManyRequests
	}
	body, _ := json.Marshal(cloudevent.NewRejection(function.Reason(err))) // a text can always be written
	return jetstream.Response{Status: status, Body: body}
}
