package jetstream_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	nats "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/jetstream"
)

// bundle is a broker on a server of its own, with an ingress.
type bundle struct {
	*jetstream.Broker
	server  *jetstream.Server
	ingress *httptest.Server
}

func open(t *testing.T) *bundle {
	t.Helper()
	server, err := jetstream.StartServer(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(server.Close)
	broker, err := jetstream.Open(t.Context(), server.Conn, jetstream.Stream{Name: "BROKER_ns_default"})
	require.NoError(t, err)
	ingress := httptest.NewServer(jetstream.Ingress(func(r *http.Request) (*jetstream.Broker, error) {
		if r.URL.Path != "/ns/default" {
			return nil, jetstream.ErrUnknownBroker
		}
		return broker, nil
	}))
	t.Cleanup(ingress.Close)
	return &bundle{broker, server, ingress}
}

// subscriber is a server that keeps what it receives, and responds as its test asks.
type subscriber struct {
	*httptest.Server
	mu       sync.Mutex
	received []jetstream.Event
	at       []time.Time
}

func serve(t *testing.T, respond func(n int, w http.ResponseWriter)) *subscriber {
	t.Helper()
	s := &subscriber{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, err := jetstream.ReadRequest(r)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.received, s.at = append(s.received, e), append(s.at, time.Now())
		n := len(s.received)
		s.mu.Unlock()
		respond(n, w)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *subscriber) got() []jetstream.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]jetstream.Event{}, s.received...)
}

func accept(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }

type poster struct{}

func (poster) Deliver(ctx context.Context, destination string, e jetstream.Event) jetstream.Response {
	r, _ := jetstream.Post(ctx, http.DefaultClient, destination, e)
	return r
}

// deliver delivers a Trigger's events until the test ends.
func (b *bundle) deliver(t *testing.T, trigger jetstream.Trigger) {
	t.Helper()
	require.NoError(t, b.Add(t.Context(), trigger))
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			d := jetstream.Dispatcher{
				Broker: b.Broker, Trigger: trigger, Subscriber: poster{}, Process: jetstream.NewProcess(ctx),
				Profile: jetstream.Spec, Log: slog.New(slog.DiscardHandler),
			}
			d.Run()
		}
	}()
	t.Cleanup(func() { stop(); <-done })
}

func event(id, eventType string) jetstream.Event {
	return jetstream.Event{
		Attributes: map[string]string{"specversion": "1.0", "id": id, "type": eventType, "source": "/test", "datacontenttype": "application/json"},
		Data:       []byte(`{"n":1}`),
	}
}

func (b *bundle) publish(t *testing.T, events ...jetstream.Event) {
	t.Helper()
	require.NoError(t, errors.Join(b.Publish(t.Context(), events)...))
}

// settled waits until nothing waits and nothing is being delivered.
func (b *bundle) settled(t *testing.T, trigger string) {
	t.Helper()
	require.Eventually(t, func() bool {
		info, err := b.Info(t.Context(), trigger)
		return err == nil && info.NumPending == 0 && info.NumAckPending == 0
	}, 30*time.Second, 5*time.Millisecond)
}

const short = 20 * time.Millisecond

// FUN-03: an event is retried as the Trigger asks, and what is not accepted becomes a dead letter with its last
// response.
func TestAnEventThatIsNotAcceptedBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	for status, attempts := range map[int]int{503: 4, 500: 4, 429: 4, 404: 4, 409: 4, 408: 4, 400: 1, 422: 1, 401: 1} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			b := open(t)
			sink := serve(t, accept)
			failing := serve(t, func(_ int, w http.ResponseWriter) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, strings.Repeat("no", 1000))
			})
			b.deliver(t, jetstream.Trigger{Name: "t", Subscriber: failing.URL, Delivery: jetstream.Delivery{
				Retry: 3, Backoff: jetstream.Linear, Delay: short, Timeout: time.Second, DeadLetterSink: sink.URL,
			}})
			b.publish(t, event("1", "a"))
			require.Eventually(t, func() bool { return len(sink.got()) == 1 }, 30*time.Second, time.Millisecond)
			b.settled(t, "t")
			require.Len(t, failing.got(), attempts)
			dead := sink.got()[0].Attributes
			data, err := base64.StdEncoding.DecodeString(dead["knativeerrordata"])
			require.NoError(t, err)
			require.Equal(t, []any{"1", failing.URL, fmt.Sprint(status), strings.Repeat("no", 512)},
				[]any{dead["id"], dead["knativeerrordest"], dead["knativeerrorcode"], string(data)})
		})
	}
}

// The statuses that eventing's own brokers retry.
func TestStatusesAreRetriedAsByEventing(t *testing.T) {
	t.Parallel()
	retried := map[int]bool{404: true, 408: true, 409: true, 429: true}
	for status := 400; status < 600; status++ {
		require.Equal(t, retried[status] || status >= 500, jetstream.Spec.Retries(status), status)
	}
	require.True(t, jetstream.Spec.Retries(0))
}

func TestRetryAfterOfABusySubscriberIsHonoured(t *testing.T) {
	t.Parallel()
	for limit, least := range map[time.Duration]time.Duration{0: time.Second, 200 * time.Millisecond: 200 * time.Millisecond, jetstream.IgnoreRetryAfter: 0} {
		t.Run(limit.String(), func(t *testing.T) {
			t.Parallel()
			b := open(t)
			busy := serve(t, func(n int, w http.ResponseWriter) {
				if n == 1 {
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(http.StatusTooManyRequests)
				}
			})
			b.deliver(t, jetstream.Trigger{Name: "t", Subscriber: busy.URL, Delivery: jetstream.Delivery{
				Retry: 3, Backoff: jetstream.Linear, Delay: short, MaxRetryAfter: limit,
			}})
			b.publish(t, event("1", "a"))
			require.Eventually(t, func() bool { return len(busy.got()) == 2 }, 30*time.Second, time.Millisecond)
			require.GreaterOrEqual(t, busy.at[1].Sub(busy.at[0]), least)
			if limit != 0 {
				require.Less(t, busy.at[1].Sub(busy.at[0]), time.Second)
			}
		})
	}
}

// A reply is an event for the same broker; that it is stored comes before the acknowledgement.
func TestAReplyIsPublished(t *testing.T) {
	t.Parallel()
	b := open(t)
	replying := serve(t, func(_ int, w http.ResponseWriter) {
		for name, value := range map[string]string{"Ce-Specversion": "1.0", "Ce-Id": "2", "Ce-Type": "b", "Ce-Source": "/reply", "Content-Type": "text/plain"} {
			w.Header().Set(name, value)
		}
		_, _ = io.WriteString(w, "hello")
	})
	next := serve(t, accept)
	exact := func(eventType string) jetstream.Subscriptions {
		return jetstream.Subscriptions{{Exact: map[string]string{"type": eventType}}}
	}
	b.deliver(t, jetstream.Trigger{Name: "one", Subscriber: replying.URL, Filter: exact("a")})
	b.deliver(t, jetstream.Trigger{Name: "two", Subscriber: next.URL, Filter: exact("b")})
	b.publish(t, event("1", "a"), event("3", "c"))
	require.Eventually(t, func() bool { return len(next.got()) == 1 }, 30*time.Second, time.Millisecond)
	b.settled(t, "one")
	require.Equal(t, []any{"2", "/reply", "hello"},
		[]any{next.got()[0].Attributes["id"], next.got()[0].Attributes["source"], string(next.got()[0].Data)})
	require.Len(t, replying.got(), 1, "it receives what it subscribes to, and nothing else")
}

// FUN-04: a stream that is lost while everything runs is made again by the first event, with its consumers.
func TestALostStreamIsMadeAgainAtOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	s := serve(t, accept)
	b.deliver(t, jetstream.Trigger{Name: "t", Subscriber: s.URL})
	b.publish(t, event("1", "a"))
	require.Eventually(t, func() bool { return len(s.got()) == 1 }, 30*time.Second, time.Millisecond)
	js, err := nats.New(b.server.Conn)
	require.NoError(t, err)
	require.NoError(t, js.DeleteStream(t.Context(), "BROKER_ns_default"))
	began := time.Now()
	b.publish(t, event("2", "a"))
	require.Eventually(t, func() bool { return len(s.got()) == 2 }, 30*time.Second, time.Millisecond)
	require.Less(t, time.Since(began), 10*time.Second)
}

// What a sender repeats, because it did not see the response, is stored once.
func TestARepeatedEventIsStoredOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	s := serve(t, accept)
	b.deliver(t, jetstream.Trigger{Name: "t", Subscriber: s.URL})
	for range 3 {
		r, err := jetstream.Post(t.Context(), http.DefaultClient, b.ingress.URL+"/ns/default", event("1", "a"))
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, r.Status)
	}
	b.publish(t, event("2", "a"))
	require.Eventually(t, func() bool { return len(s.got()) == 2 }, 30*time.Second, time.Millisecond)
	b.settled(t, "t")
	require.Len(t, s.got(), 2)
}

func TestTheIngressRejectsWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	b := open(t)
	s := serve(t, accept)
	b.deliver(t, jetstream.Trigger{Name: "t", Subscriber: s.URL})
	binary := map[string]string{"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Type": "unknown.type", "Ce-Source": "/x", "Content-Type": "application/json"}
	without := func(name string) map[string]string {
		all := map[string]string{}
		for key, value := range binary {
			if key != name {
				all[key] = value
			}
		}
		return all
	}
	structured := map[string]string{"Content-Type": "application/cloudevents+json"}
	for name, c := range map[string]struct {
		method, path, body string
		header             map[string]string
		want               int
	}{
		"binary, of a type that none consumes": {http.MethodPost, "/ns/default", "{}", binary, http.StatusAccepted},
		"structured":                           {http.MethodPost, "/ns/default", `{"specversion":"1.0","id":"2","type":"a","source":"/x","subject":"a b\nc é"}`, structured, http.StatusAccepted},
		"as large as it may be":                {http.MethodPost, "/ns/default", strings.Repeat("x", jetstream.MaxEvent), binary, http.StatusAccepted},
		"a byte more":                          {http.MethodPost, "/ns/default", strings.Repeat("x", jetstream.MaxEvent+1), binary, http.StatusRequestEntityTooLarge},
		"no event":                             {http.MethodPost, "/ns/default", "hello", nil, http.StatusBadRequest},
		"no id":                                {http.MethodPost, "/ns/default", "{}", without("Ce-Id"), http.StatusBadRequest},
		"no source":                            {http.MethodPost, "/ns/default", "{}", without("Ce-Source"), http.StatusBadRequest},
		"no type":                              {http.MethodPost, "/ns/default", "{}", without("Ce-Type"), http.StatusBadRequest},
		"cut":                                  {http.MethodPost, "/ns/default", `{"specversion":"1.0","id":`, structured, http.StatusBadRequest},
		"another broker":                       {http.MethodPost, "/ns/other", "{}", binary, http.StatusNotFound},
		"no broker":                            {http.MethodPost, "/", "{}", binary, http.StatusNotFound},
		"read":                                 {http.MethodGet, "/ns/default", "", binary, http.StatusMethodNotAllowed},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, b.ingress.URL+c.path, strings.NewReader(c.body))
		require.NoError(t, err)
		for key, value := range c.header {
			r.Header.Set(key, value)
		}
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err, name)
		_ = response.Body.Close()
		require.Equal(t, c.want, response.StatusCode, name)
	}
	require.Eventually(t, func() bool { return len(s.got()) == 2 }, 30*time.Second, time.Millisecond,
		"the large one has the id of the first")
	for _, e := range s.got() {
		if e.Attributes["id"] == "2" {
			require.Equal(t, "a b%0Ac é", e.Attributes["subject"], "a header holds no line break")
		}
	}
}

// Without NATS an event is not accepted.
func TestTheIngressRespondsThatItCannotStore(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.server.Close()
	r, err := jetstream.Post(t.Context(), http.DefaultClient, b.ingress.URL+"/ns/default", event("1", "a"))
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, r.Status)
}

// Add makes a Trigger's consumer; delivery does not make it again.
func TestAConsumerIsMadeOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	s := serve(t, accept)
	var made atomic.Int64
	subscription, err := b.server.Conn.Subscribe("$JS.API.CONSUMER.CREATE.>", func(*natsgo.Msg) { made.Add(1) })
	require.NoError(t, err)
	defer func() { _ = subscription.Unsubscribe() }()
	require.NoError(t, b.server.Conn.Flush())
	b.deliver(t, jetstream.Trigger{Name: "t", Subscriber: s.URL})
	b.publish(t, event("1", "a"))
	require.Eventually(t, func() bool { return len(s.got()) == 1 }, 30*time.Second, time.Millisecond)
	require.Equal(t, int64(1), made.Load())
}
