package function

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/popup-shop/popup/internal/cloudevent"
)

// unreadableMost is how many bytes of an unreadable event are stored.
const unreadableMost = 64 << 10

// ServeMux returns the HTTP handler of a function: GET /health for probes, POST / for events and the schedule, and its
// own routes.
func (rt *Runtime) ServeMux(f *Function) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "OK") })
	if len(f.On) > 0 || f.Schedule != nil || f.Maintenance != nil || f.DeadLetters != nil {
		mux.Handle("POST /{$}", rt.receiveEvent(f))
	}
	if f.Endpoints != nil {
		f.Endpoints.Open(mux, rt)
	}
	return rejectDotSegments(mux)
}

// receiveEvent is called by the broker, by schedules and by the delivery of dead letters. It responds 200 when the
// event is done or a dead letter, 429 when overloaded, otherwise 503; nothing else, because brokers give up on
// everything else.
func (rt *Runtime) receiveEvent(f *Function) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := rt.serveEvent(f, r)
		switch {
		case err == nil:
			w.WriteHeader(http.StatusOK)
		case errors.Is(err, ErrOverloaded):
			reject(w, http.StatusTooManyRequests, err)
		default:
			reject(w, http.StatusServiceUnavailable, err)
		}
	}
}

// reject responds with the reason: a dead letter carries it to the function that stores them.
func reject(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(cloudevent.NewRejection(Reason(err)))
}

func (rt *Runtime) serveEvent(f *Function, r *http.Request) error {
	body, err := cloudevent.ReadBody(r)
	if err != nil {
		return Unavailable(err)
	}
	if f.DeadLetters != nil {
		dead, err := cloudevent.ParseDeadLetter(r, body)
		if err != nil {
			return rt.quarantine(r.Context(), f, unreadable(r, body), "unreadable", err)
		}
		return rt.StoreDeadLetter(r.Context(), f, dead)
	}
	m, err := cloudevent.Parse(r, body)
	if err != nil {
		return rt.quarantine(r.Context(), f, unreadable(r, body), "unreadable", err)
	}
	return rt.Deliver(r.Context(), f, m)
}

// unreadable returns what is known of an event that cannot be read. Its id ends with a hash of the body: two different
// ones are two dead letters.
func unreadable(r *http.Request, body []byte) cloudevent.Message {
	hash := sha256.Sum256(body)
	return cloudevent.Message{
		ID: r.Header.Get("Ce-Id") + "#" + hex.EncodeToString(hash[:8]), Type: r.Header.Get("Ce-Type"), Source: r.Header.Get("Ce-Source"),
		Data: body[:min(len(body), unreadableMost)],
	}
}
