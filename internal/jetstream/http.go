package jetstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"golang.org/x/sync/semaphore"
)

// Ingress returns the handler that publishes the events posted to it, in binary or structured mode, to the broker that
// find returns for a request. It responds 202 once an event is stored, 400 to what is not a CloudEvent, 404 where find
// returns ErrUnknownBroker, 408 to a body that does not arrive in time, 413 to what is too large, and 503 while the
// broker can't store or the bodies that arrive fill the memory for them.
func Ingress(find func(*http.Request) (*Broker, error)) http.Handler {
	memory := semaphore.NewWeighted(maxArriving)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "Events are posted.", http.StatusMethodNotAllowed)
			return
		}
		body := &arriving{ReadCloser: r.Body, memory: memory}
		defer body.release()
		r.Body = body
		respond(w, accept(r, find))
	})
}

// maxArriving is how many bytes of bodies an ingress holds at once: senders that stop in the middle must not fill the
// memory.
const maxArriving = 48 << 20

var errBusy = errors.New("too many events arrive at once")

// arriving is a body that counts towards maxArriving as far as it has arrived.
type arriving struct {
	io.ReadCloser
	memory *semaphore.Weighted
	held   int64
}

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if !a.memory.TryAcquire(int64(n)) {
		return 0, errBusy
	}
	a.held += int64(n)
	return n, err
}

func (a *arriving) release() { a.memory.Release(a.held) }

// ErrUnknownBroker reports that there is no such broker.
var ErrUnknownBroker = errors.New("there is no such broker")

// accept publishes the event in a request.
func accept(r *http.Request, find func(*http.Request) (*Broker, error)) error {
	b, err := find(r)
	if err != nil {
		return err
	}
	e, err := ReadRequest(r)
	if err != nil {
		return err
	}
	return b.Once(r.Context(), e)
}

func respond(w http.ResponseWriter, err error) {
	var invalid InvalidError
	switch {
	case err == nil:
		w.WriteHeader(http.StatusAccepted)
	case errors.Is(err, ErrUnknownBroker):
		http.Error(w, "There is no such broker.", http.StatusNotFound)
	case errors.Is(err, errSlow):
		http.Error(w, "The event did not arrive in time.", http.StatusRequestTimeout)
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Too many events arrive at once.", http.StatusServiceUnavailable)
	case errors.Is(err, errTooLarge):
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	case errors.As(err, &invalid):
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		http.Error(w, "The event could not be stored.", http.StatusServiceUnavailable)
	}
}

var errSlow = errors.New("the event did not arrive in time")

var errTooLarge = InvalidError{fmt.Sprintf("the event is larger than %d bytes", MaxEvent)}

// ReadRequest returns the CloudEvent in a request of binary or structured mode. The W3C trace context in its headers
// becomes an attribute where the event has none.
func ReadRequest(r *http.Request) (Event, error) {
	e, err := read(r.Context(), r.Header, r.Body)
	if trace := r.Header.Get("Traceparent"); err == nil && e.Attributes["traceparent"] == "" && trace != "" {
		e = e.With(map[string]string{"traceparent": trace})
	}
	return e, err
}

func read(ctx context.Context, header http.Header, body io.Reader) (Event, error) {
	data, err := io.ReadAll(io.LimitReader(body, MaxEvent+1))
	switch {
	case errors.Is(err, errBusy):
		return Event{}, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Event{}, errSlow
	case err != nil:
		return Event{}, InvalidError{"the event could not be read"}
	}
	if len(data) > MaxEvent {
		return Event{}, errTooLarge
	}
	c, err := binding.ToEvent(ctx, cehttp.NewMessage(header, io.NopCloser(bytes.NewReader(data))))
	if err != nil {
		return Event{}, InvalidError{fmt.Sprintf("not a CloudEvent: %v", err)}
	}
	if err := c.Validate(); err != nil {
		return Event{}, InvalidError{fmt.Sprintf("not a CloudEvent: %v", err)}
	}
	return FromCloudEvent(*c), nil
}

// Post posts an event in binary mode and returns the response. The error is why there was none.
func Post(ctx context.Context, client *http.Client, address string, e Event) (Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(e.Data))
	if err != nil {
		return Response{}, err
	}
	writeHeader(request.Header, e.Attributes)
	response, err := client.Do(request)
	if err != nil {
		return Response{}, err
	}
	defer response.Body.Close()
	return readResponse(ctx, response), nil
}

// writeHeader writes attributes as binary mode has them, as they are but for bytes that no header can hold. The trace
// context goes into its own header, too.
func writeHeader(header http.Header, attributes map[string]string) {
	for name, value := range attributes {
		switch name {
		case "datacontenttype":
			header.Set("Content-Type", value)
		case "traceparent":
			header.Set("Traceparent", value)
			fallthrough
		default:
			header.Set("Ce-"+name, escapeIf(value, func(b byte) bool { return b < ' ' || b == 0x7f }))
		}
	}
}

// readResponse returns a response, with the event in it if it holds one.
func readResponse(ctx context.Context, response *http.Response) Response {
	r := Response{Status: response.StatusCode, RetryAfter: retryAfter(response.Header.Get("Retry-After"), time.Now())}
	isEvent := response.Header.Get("Ce-Id") != "" ||
		strings.HasPrefix(response.Header.Get("Content-Type"), "application/cloudevents")
	if r.ok() && isEvent {
		if reply, err := read(ctx, response.Header, response.Body); err == nil {
			r.Reply = &reply
		}
		return r
	}
	r.Body, _ = io.ReadAll(io.LimitReader(response.Body, maxErrorData))
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, MaxEvent)) // so that the connection is used again
	return r
}

// retryAfter returns the delay in a Retry-After header, which is seconds or a date; 0 without one.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
