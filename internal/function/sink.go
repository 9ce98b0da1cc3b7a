package function

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

// HTTPSink publishes to a broker's address, as K_SINK gives it.
type HTTPSink struct {
	URL    string
	Client *http.Client
}

// Publish posts the event in binary form. Every answer but 2xx is an error.
func (s HTTPSink) Publish(ctx context.Context, m Message) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, nil)
	if err != nil {
		return err
	}
	e := m.CloudEvent()
	if err := cehttp.WriteRequest(ctx, (*binding.EventMessage)(&e), request); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	if m.TraceParent != "" {
		request.Header.Set("Traceparent", m.TraceParent)
	}
	answer, err := s.Client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection is used again
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the broker answered %s", answer.Status)
	}
	return nil
}
