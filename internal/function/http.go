package function

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

const bodyLimit = 256 << 10

// ServeMux is the HTTP face of a function: GET /health for probes, POST / for events and the clock, and its own routes.
func (rt *Runtime) ServeMux(f *Function) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "OK") })
	if len(f.On) > 0 || f.Clock != nil || f.Upkeep != nil || f.Dead != nil {
		mux.Handle("POST /{$}", rt.receive(f))
	}
	if f.Door != nil {
		f.Door.Open(mux, rt)
	}
	return mux
}

// receive is called by the broker, by schedules and by the dead-letter delivery. It answers 200 when the event is done or
// parked, 429 when overloaded, otherwise 503; nothing else, because brokers give up on everything else.
func (rt *Runtime) receive(f *Function) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := rt.take(f, r)
		switch {
		case err == nil:
			w.WriteHeader(http.StatusOK)
		case errors.Is(err, ErrOverloaded):
			refuse(w, http.StatusTooManyRequests, err)
		default:
			refuse(w, http.StatusServiceUnavailable, err)
		}
	}
}

// refuse gives the reason as body: a dead letter carries it to park-event.
func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"reason": Reason(err)})
}

func (rt *Runtime) take(f *Function, r *http.Request) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit+1))
	if err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	m, dead, err := parse(r, body)
	switch {
	case err != nil:
		return rt.park(r.Context(), f, Message{ID: r.Header.Get("Ce-Id"), Type: r.Header.Get("Ce-Type"), Source: r.Header.Get("Ce-Source"), Data: body[:min(len(body), 64<<10)]}, "unreadable", err)
	case f.Dead != nil:
		return rt.Bury(r.Context(), f, dead)
	}
	return rt.Deliver(r.Context(), f, m)
}

// ReadEvent reads the CloudEvent in a request, for brokers.
func ReadEvent(r *http.Request) (Message, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit+1))
	if err != nil {
		return Message{}, fmt.Errorf("read event: %w", err)
	}
	m, _, err := parse(r, body)
	return m, err
}

// parse reads a CloudEvent in binary or structured form.
func parse(r *http.Request, body []byte) (Message, DeadLetter, error) {
	if len(body) > bodyLimit {
		return Message{}, DeadLetter{}, fmt.Errorf("read event: larger than %d bytes", bodyLimit)
	}
	e, err := binding.ToEvent(r.Context(), cehttp.NewMessage(r.Header, io.NopCloser(bytes.NewReader(body))))
	if err != nil {
		return Message{}, DeadLetter{}, fmt.Errorf("read event: %w", err)
	}
	m, err := fromCloudEvent(*e)
	if m.TraceParent == "" {
		m.TraceParent = r.Header.Get("Traceparent")
	}
	return m, deadLetter(m, r.Header, *e), err
}
