package cloudevent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

// Publisher publishes events to a broker.
type Publisher interface {
	// Publish returns an error for each message: nil once the broker has stored it.
	Publish(ctx context.Context, messages []Message) []error
}

// PublisherFunc publishes messages one after the other.
type PublisherFunc func(ctx context.Context, m Message) error

// Publish calls f for each message.
func (f PublisherFunc) Publish(ctx context.Context, messages []Message) []error {
	errs := make([]error, len(messages))
	for i, m := range messages {
		errs[i] = f(ctx, m)
	}
	return errs
}

// HTTPSink publishes to the address of a broker, as K_SINK gives it.
type HTTPSink struct {
	URL    string
	Shop   string // address of the shop, which its events name as their source
	Client *http.Client
}

// Publish posts the events in binary mode, those of one cause in order and all causes at the same time. Every response
// but 2xx is an error.
func (s HTTPSink) Publish(ctx context.Context, messages []Message) []error {
	errs := make([]error, len(messages))
	byCause := map[string][]int{}
	for i, m := range messages {
		byCause[m.CausationID] = append(byCause[m.CausationID], i)
	}
	var posting sync.WaitGroup
	for _, indices := range byCause {
		posting.Go(func() {
			for _, i := range indices {
				errs[i] = s.post(ctx, messages[i])
			}
		})
	}
	posting.Wait()
	return errs
}

func (s HTTPSink) post(ctx context.Context, m Message) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, nil)
	if err != nil {
		return err
	}
	if err := m.WriteRequest(request, s.Shop); err != nil {
		return err
	}
	response, err := s.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection is used again
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the broker responded %s", response.Status)
	}
	return nil
}

// WriteRequest writes the event into an HTTP request in binary mode.
func (m Message) WriteRequest(request *http.Request, shop string) error {
	e := m.CloudEvent(shop)
	if err := cehttp.WriteRequest(request.Context(), (*binding.EventMessage)(&e), request); err != nil {
		return fmt.Errorf("write event %s: %w", m.ID, err)
	}
	if m.TraceParent != "" {
		request.Header.Set("Traceparent", m.TraceParent)
	}
	return nil
}
