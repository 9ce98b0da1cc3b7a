package cloudevent

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/binding"
	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

// bodyLimit is how many bytes a request with an event may have.
const bodyLimit = 256 << 10

// ReadBody returns the body of a request with an event.
func ReadBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	return body, nil
}

// Parse returns the CloudEvent in a request of binary or structured mode.
func Parse(r *http.Request, body []byte) (Message, error) {
	e, err := parse(r, body)
	if err != nil {
		return Message{}, err
	}
	return messageOf(r, e)
}

// ParseValid is Parse for a broker's ingress: it rejects an event that the CloudEvents SDK does not consider valid.
func ParseValid(r *http.Request, body []byte) (Message, error) {
	e, err := parse(r, body)
	if err != nil {
		return Message{}, err
	}
	if err := e.Validate(); err != nil {
		return Message{}, fmt.Errorf("read event: %w", err)
	}
	return messageOf(r, e)
}

// ParseDeadLetter returns the dead letter in a request: an event and what the broker adds about its delivery.
func ParseDeadLetter(r *http.Request, body []byte) (DeadLetter, error) {
	e, err := parse(r, body)
	if err != nil {
		return DeadLetter{}, err
	}
	m, err := messageOf(r, e)
	return deadLetter(m, r.Header, e), err
}

func messageOf(r *http.Request, e cloudevents.Event) (Message, error) {
	m, err := fromCloudEvent(e)
	if m.TraceParent == "" {
		m.TraceParent = r.Header.Get("Traceparent")
	}
	return m, err
}

func parse(r *http.Request, body []byte) (cloudevents.Event, error) {
	if len(body) > bodyLimit {
		return cloudevents.Event{}, fmt.Errorf("read event: larger than %d bytes", bodyLimit)
	}
	e, err := binding.ToEvent(r.Context(), cehttp.NewMessage(r.Header, io.NopCloser(bytes.NewReader(body))))
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("read event: %w", err)
	}
	return *e, nil
}
