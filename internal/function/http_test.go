package function_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
)

// serve serves the function under test over HTTP.
func serve(t *testing.T, shop *shoptest.Shop) string {
	t.Helper()
	server := httptest.NewServer(shop.Runtime(t, name).ServeMux(shop.Function(t, name)))
	t.Cleanup(server.Close)
	return server.URL
}

// post posts a body with headers in pairs, and returns the status and what was answered.
func post(t *testing.T, url string, body []byte, headers ...string) (status int, answer string, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header[http.CanonicalHeaderKey(headers[i])] = []string{headers[i+1]}
	}
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer a.Body.Close()
	raw, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	return a.StatusCode, string(raw), a.Header
}

// binary is an event as headers.
func binary(m cloudevent.Message, more ...string) []string {
	return append([]string{
		"Content-Type", "application/json", "Ce-Specversion", "1.0", "Ce-Id", m.ID, "Ce-Type", events.Prefix + m.Type,
		"Ce-Source", m.Source, "Ce-Subject", m.Subject,
	}, more...)
}

// parse reads the event in a request.
func parse(r *http.Request) (cloudevent.Message, error) {
	body, err := cloudevent.ReadBody(r)
	if err != nil {
		return cloudevent.Message{}, err
	}
	return cloudevent.ParseValid(r, body)
}

// structured is an event as one JSON document.
func structured(t *testing.T, m cloudevent.Message) []byte {
	t.Helper()
	document, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": m.ID, "type": events.Prefix + m.Type, "source": m.Source, "subject": m.Subject,
		"datacontenttype": "application/json", "data": json.RawMessage(m.Data),
	})
	require.NoError(t, err)
	return document
}

func TestEventsAreTakenInBothForms(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	url := serve(t, shop)
	one, two := shop.Store(t, told()), shop.Store(t, told())
	status, answer, _ := post(t, url, one.Data, binary(one)...)
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, answer, "a reply could be lost; what is said goes to the broker")
	status, _, _ = post(t, url, structured(t, two), "Content-Type", "application/cloudevents+json")
	require.Equal(t, http.StatusOK, status)
	require.EqualValues(t, 2, count(t, shop, "test.effects"))
	require.Len(t, shop.Broker.Published(), 4)
}

func TestStatusesAreThoseThatBrokersUnderstand(t *testing.T) {
	t.Parallel()
	fault := error(nil)
	shop := open(t, handling(func(context.Context, pgx.Tx, events.StockReserved) ([]events.Event, error) { return nil, fault }))
	url := serve(t, shop)
	m := shop.Store(t, told())

	fault = errors.New("not now")
	status, answer, header := post(t, url, m.Data, binary(m)...)
	require.Equal(t, []any{http.StatusServiceUnavailable, "1"}, []any{status, header.Get("Retry-After")})
	require.JSONEq(t, `{"reason": "not now"}`, answer)
	fault = function.Permanent(errors.New("never"))
	status, _, _ = post(t, url, m.Data, binary(m)...)
	require.Equal(t, http.StatusOK, status, "it is parked")
	require.EqualValues(t, 1, count(t, shop, "bus.dead_letters"))
}

func TestAMalformedEventIsStoredReadably(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	url := serve(t, shop)
	good := cloudevent.Message{ID: uuid.NewString(), Type: "stock.reserved", Source: "/functions/reserve-stock"}
	for what, c := range map[string]struct {
		body    []byte
		headers []string
	}{
		"junk":                         {[]byte("hello?"), nil},
		"nothing":                      {nil, nil},
		"no id":                        {[]byte("{}"), binary(cloudevent.Message{Type: "x", Source: "y"})},
		"no source":                    {[]byte("{}"), binary(cloudevent.Message{ID: "x", Type: "y"})},
		"bytes that are no text":       {[]byte("\xff\xfe\x00\x01"), nil},
		"document that is no event":    {[]byte(`{"specversion": "1.0"}`), []string{"Content-Type", "application/cloudevents+json"}},
		"document with a zero byte":    {[]byte(`{"specversion":"1.0","id":"a\u0000b","type":"t\u0000","source":"s\u0000","data":{}}`), []string{"Content-Type", "application/cloudevents+json"}},
		"document that is cut":         {structured(t, good)[:40], []string{"Content-Type", "application/cloudevents+json"}},
		"headers that are no text":     {[]byte("{}"), binary(cloudevent.Message{ID: "\xff", Type: "\xfe", Source: "/\xfd"})},
		"source that is no text":       {[]byte("{}"), binary(cloudevent.Message{ID: uuid.NewString(), Type: "stock.reserved", Source: "/\xfd"})},
		"data that is no JSON":         {[]byte("\xff{"), binary(cloudevent.Message{ID: uuid.NewString(), Type: "stock.reserved", Source: "/functions/x"})},
		"larger than an event can be":  {bytes.Repeat([]byte("x"), 256<<10+1), binary(good)},
		"much larger":                  {bytes.Repeat([]byte("x"), 4<<20), nil},
		"large, and cut in the middle": {bytes.Repeat([]byte("湯"), 100<<10), nil},
	} {
		status, answer, _ := post(t, url, c.body, c.headers...)
		require.Equal(t, http.StatusOK, status, "%s: %s", what, answer)
		parked, err := eventstore.ListDeadLetters(t.Context(), shop.Pool, name)
		require.NoError(t, err, what)
		require.Len(t, parked, 1, what)
		require.Contains(t, []string{"unreadable", "unknown", "poison"}, parked[0].Kind, what)
		require.Equal(t, "test", parked[0].Revision)
		shop.Exec(t, `UPDATE bus.dead_letters SET resolved_at = now()`)
	}
	requireNothing(t, shop, 0)

	m := shop.Store(t, told())
	status, _, _ := post(t, url, m.Data, binary(m)...)
	require.Equal(t, http.StatusOK, status)
	require.EqualValues(t, 1, count(t, shop, "test.effects"), "the next one goes on")
}

func TestLargestEventIsTaken(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	m := shop.Store(t, told())
	padded := append(m.Data, bytes.Repeat([]byte(" "), 256<<10-len(m.Data))...)
	status, _, _ := post(t, serve(t, shop), padded, binary(m)...)
	require.Equal(t, http.StatusOK, status)
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
}

func TestFunctionWithoutAFreeConnectionIsOverloaded(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	rt := shop.Runtime(t, name)
	url := serve(t, shop)
	for range rt.Pool.Config().MaxConns {
		held, err := rt.Pool.Acquire(t.Context())
		require.NoError(t, err)
		t.Cleanup(held.Release)
	}
	m := shop.Store(t, told())
	status, answer, header := post(t, url, m.Data, binary(m)...)
	require.Equal(t, []any{http.StatusTooManyRequests, "1"}, []any{status, header.Get("Retry-After")})
	require.JSONEq(t, `{"reason": ""}`, answer, "the event is not at fault")
}

func TestHealthNeedsNoDatabase(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/nothing")
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	f := handling(works)
	mux := (&function.Runtime{Pool: pool, Log: slog.New(slog.DiscardHandler)}).ServeMux(&f)
	for path, want := range map[string]int{"/health": http.StatusOK, "/other": http.StatusNotFound, "/": http.StatusMethodNotAllowed} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, want, w.Code, path)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("junk")))
	require.Equal(t, http.StatusServiceUnavailable, w.Code, "what cannot be parked is tried again")
}

const another = "00-11111111111111111111111111111111-2222222222222222-01"

func TestEmittedEventsContinueTheTrace(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	url := serve(t, shop)
	for how, c := range map[string]struct {
		headers []string
		want    string
	}{
		"header":                     {[]string{"Traceparent", trace}, trace},
		"extension":                  {[]string{"Ce-Traceparent", trace}, trace},
		"extension of our own":       {[]string{"Ce-Popuptrace", trace}, trace},
		"ours survives a broker's":   {[]string{"Ce-Popuptrace", trace, "Ce-Traceparent", another, "Traceparent", another}, trace},
		"ours where a broker blanks": {[]string{"Ce-Popuptrace", trace, "Ce-Traceparent", ""}, trace},
		"none":                       {nil, ""},
	} {
		m := shop.Store(t, told())
		status, answer, _ := post(t, url, m.Data, binary(m, c.headers...)...)
		require.Equal(t, http.StatusOK, status, answer)
		said := shop.Emitted(t, m.OrderID, "order.confirmed")
		require.Len(t, said, 1, how)
		require.Equal(t, cloudevent.ChildTrace(c.want, said[0].Source[len("/functions/"):], m.ID), said[0].TraceParent, how)
	}
}

func TestSinkPostsAnEventThatReadsBackAsItWas(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	sent := shop.Store(t, told())
	sent.TraceParent, sent.Version, sent.Delayed = trace, 7, true
	var got cloudevent.Message
	var header http.Header
	ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		header = r.Header
		if got, err = parse(r); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(ingress.Close)

	sink := cloudevent.HTTPSink{URL: ingress.URL, Shop: "https://shop.example", Client: http.DefaultClient}
	require.NoError(t, errors.Join(sink.Publish(t.Context(), []cloudevent.Message{sent})...))
	require.Equal(t, "https://shop.example"+sent.Source, got.Source)
	got.Time, got.Source = sent.Time, sent.Source
	require.Equal(t, sent, got)
	for name, want := range map[string]string{
		"Ce-Type": "shop.popup.stock.reserved", "Ce-Id": sent.ID, "Ce-Partitionkey": sent.OrderID, "Ce-Correlationid": sent.OrderID,
		"Ce-Causationid": sent.CausationID, "Ce-Sequence": "0000000007", "Ce-Delayed": "true", "Ce-Popuptrace": trace, "Traceparent": trace,
		"Ce-Dataschema": "https://shop.example/schemas/events/stock.reserved.json",
	} {
		require.Equal(t, want, header.Get(name), name)
	}
}

func TestSinkTakesOnlyYesForYes(t *testing.T) {
	t.Parallel()
	m := cloudevent.Message{ID: uuid.NewString(), Type: "stock.reserved", Source: "/functions/test", Data: []byte("{}")}
	for status, ok := range map[int]bool{200: true, 202: true, 204: true, 301: false, 400: false, 404: false, 500: false, 503: false} {
		ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
			_ *http.Request,
		) {
			w.WriteHeader(status)
		}))
		err := cloudevent.HTTPSink{URL: ingress.URL, Client: http.DefaultClient}.Publish(t.Context(),
			[]cloudevent.Message{m})[0]
		require.Equal(t, ok, err == nil, "%d: %v", status, err)
		ingress.Close()
	}
	require.Error(t, cloudevent.HTTPSink{URL: "http://127.0.0.1:1", Client: http.DefaultClient}.Publish(t.Context(),
		[]cloudevent.Message{m})[0])
}

func TestADeadLetterNamesItsFunction(t *testing.T) {
	t.Parallel()
	var dead cloudevent.DeadLetter
	keeper := function.Function{Name: name, Writes: []string{"test.effects"}, DeadLetters: func(ctx context.Context, tx pgx.Tx, d cloudevent.DeadLetter) error {
		dead = d
		return note(ctx, tx, d.ID)
	}}
	shop := open(t, keeper)
	m := shop.Store(t, told())
	status, _, _ := post(t, serve(t, shop), m.Data, binary(m,
		"Ce-Knativeerrordest", "http://track-order.shop.svc.cluster.local/", "Ce-Knativeerrorcode", "503", "Ce-Knativeerrordata", `{"reason":"not now"}`)...)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []any{"track-order", 503, "not now", m.ID}, []any{dead.Consumer, dead.Code, dead.Reason, dead.ID})
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
}

// FUN-18.
func TestUnreadableEventsAreDeadLettersOfTheirOwn(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	url := serve(t, shop)
	want := map[string]string{}
	for n := range 10 {
		// without an id
		document := fmt.Sprintf(`{"specversion":"1.0","type":"shop.popup.stock.reserved","source":"/x","data":{"n":%d}}`, n)
		if n%2 == 1 {
			document = fmt.Sprintf(`{"specversion":"1.0","id":"1","source":"/x","data":%d}`, n) // without a type
		}
		status, answer, _ := post(t, url, []byte(document), "Content-Type", "application/cloudevents+json")
		require.Equal(t, http.StatusOK, status, answer)
		want[document] = []string{"no id", "no type"}[n%2]
		body := fmt.Sprintf(`{"binary":%d}`, n)
		headers := []string{"Content-Type", "application/json", "Ce-Specversion", "1.0", "Ce-Type", "shop.popup.stock.reserved", "Ce-Source", "/x"}
		if n%2 == 1 {
			headers = append(headers[:4:4], "Ce-Id", "1", "Ce-Source", "/x")
		}
		status, answer, _ = post(t, url, []byte(body), headers...)
		require.Equal(t, http.StatusOK, status, answer)
		want[body] = []string{"no id", "no type"}[n%2]
	}
	dead, err := eventstore.ListDeadLetters(t.Context(), shop.Pool, name)
	require.NoError(t, err)
	require.Len(t, dead, 20)
	for _, d := range dead {
		require.Equal(t, []any{"unreadable", 1}, []any{d.Kind, d.Attempts})
		var e struct {
			Data       json.RawMessage `json:"data"`
			DataBase64 []byte          `json:"data_base64"`
		}
		body := d.Event
		if err := json.Unmarshal([]byte(d.Event), &e); err == nil && e.Data != nil && want[body] == "" {
			body = string(e.Data)
		}
		reason, ok := want[body]
		require.True(t, ok, "%s", d.Event)
		require.Contains(t, d.Reason, reason)
		delete(want, body)
	}
	require.Empty(t, want)
}
