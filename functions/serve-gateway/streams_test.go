package servegateway_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// streamed is a shop behind a gateway.
type streamed struct {
	*shoptest.Shop
	address string
	stop    func() // begins to stop the gateway
}

func openStreams(t testing.TB) *streamed {
	t.Helper()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" })
	stopping, stop := context.WithCancel(context.Background())
	shop.Runtime(t, "serve-gateway").Stopping = stopping.Done()
	t.Cleanup(stop)
	return &streamed{Shop: shop, address: shop.Serve(t, servegateway.Within(testSettings())), stop: stop}
}

// message is a server-sent event.
type message struct {
	id   string
	data map[string]any
}

// reader reads a stream.
type reader struct {
	body  io.ReadCloser
	lines *bufio.Scanner
	last  string // id
	beats int    // blocks without data
}

// get opens a stream, from after an id on.
func (s *streamed) get(t testing.TB, path, last string, headers ...string) *reader {
	t.Helper()
	response := s.try(t, path, last, headers...)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
	require.Equal(t, "no", response.Header.Get("X-Accel-Buffering"))
	require.Empty(t, response.Header.Get("Content-Encoding"))
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return &reader{body: response.Body, lines: lines, last: last}
}

func (s *streamed) try(t testing.TB, path, last string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.address+path, nil)
	require.NoError(t, err)
	r.Header.Set("Accept-Encoding", "gzip")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// next returns the next message; ok is false at the end of the stream. An id counts once its message is complete.
func (r *reader) next() (m message, ok bool) {
	var data string
	for r.lines.Scan() {
		line := r.lines.Text()
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case name == "id":
			m.id = value
		case name == "data":
			data = value
		case line == "" && data == "":
			r.last = cmp.Or(m.id, r.last)
			r.beats++
		case line == "":
			r.last = m.id
			_ = json.Unmarshal([]byte(data), &m.data) // the caller looks at it
			return m, true
		}
	}
	return m, false
}

func (r *reader) require(t testing.TB) message {
	t.Helper()
	m, ok := r.next()
	require.True(t, ok, "the stream has ended")
	return m
}

// emitMany stores events of an order as functions do, some transactions of which overlap, and returns how many there are.
func (s *streamed) emitMany(t testing.TB, n int) {
	t.Helper()
	var all sync.WaitGroup
	for writer := range 4 {
		all.Go(func() {
			for range n / 4 {
				_, err := s.Pool.Exec(t.Context(), `
					WITH waited AS (SELECT pg_sleep($1))
					INSERT INTO bus.event (event_id, type, source, subject, causation_id, n, data)
					SELECT gen_random_uuid(), 'stock.changed', '/functions/serve-stock', 'x', gen_random_uuid(), i, '{}'
					FROM waited, generate_series(0, 1) i`, float64(writer)/1000)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// API-81, INS-17: staff see each event with its consumers as it is emitted.
func TestStaffSeesEventsAsTheyAreEmitted_INS_17(t *testing.T) {
	t.Parallel()
	s := openStreams(t)
	staff := []string{"Authorization", s.Staff(t)}
	all := s.get(t, "/v1/events/stream", "", staff...)
	some := s.get(t, "/v1/events/stream?alias=ORDER_ACCEPTED", "", staff...)
	consumed := s.get(t, "/v1/events/stream?consumer=create-payment", "", "Authorization", s.SignIn(t, "client", "events").Bearer)
	placed := s.OrderIn(t, "confirmed")
	m := all.require(t)
	require.Equal(t, m.id, m.data["sequence"])
	require.Equal(t, "order.placed", m.data["type"])
	require.Equal(t, "ORDER_REQUESTED", m.data["alias"])
	require.Equal(t, placed.ID, m.data["order_id"])
	require.Equal(t, "place-order", m.data["emitter"])
	require.Equal(t, "reserve-stock", m.data["consumers"].([]any)[0].(map[string]any)["function"])
	require.Equal(t, "order.confirmed", some.require(t).data["type"])
	require.Equal(t, "stock.reserved", consumed.require(t).data["type"])
}

// API-81.
func TestStreamsAreForTheirCallersOnly(t *testing.T) {
	t.Parallel()
	s := openStreams(t)
	ada, eve := s.SignIn(t, "customer"), s.SignIn(t, "customer")
	placed, other := s.Place(t, capOrder()), s.Place(t, capOrder(), "Authorization", ada.Bearer)
	for path, headers := range map[string][]string{
		"/v1/events/stream":                                {"Authorization", ada.Bearer},
		"/v1/events/stream?":                               {},
		"/v1/events/stream?a":                              {"Authorization", s.SignIn(t, "client", "orders").Bearer},
		"/v1/orders/" + placed.ID + "/stream":              {},
		"/v1/orders/" + placed.ID + "/stream?":             {"Authorization", ada.Bearer},
		"/v1/orders/" + other.ID + "/stream":               {"Popup-Order-Token", placed.Token},
		"/v1/orders/" + other.ID + "/stream?":              {"Authorization", eve.Bearer},
		"/v1/orders/" + uuid.NewString() + "/stream":       {"Popup-Order-Token", placed.Token},
		"/v1/orders/ORD-20260101-AAAAAA/stream":            {"Popup-Order-Token", placed.Token},
		"/v1/orders/" + other.OrderNumber + "/stream":      {"Popup-Order-Token", placed.Token},
		"/v1/orders/" + placed.OrderNumber + "/stream?x=1": {"Popup-Order-Token", placed.Token},
	} {
		response := s.try(t, path, "", headers...)
		require.Contains(t, []int{400, 401, 403, 404}, response.StatusCode, path)
		require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"), path)
	}
	for _, headers := range [][]string{{"Popup-Order-Token", placed.Token}, {"Authorization", s.Staff(t)}} {
		for _, name := range []string{placed.ID, placed.OrderNumber, strings.ToLower(placed.OrderNumber)} {
			require.Equal(t, placed.ID, s.get(t, "/v1/orders/"+name+"/stream", "", headers...).require(t).data["id"])
		}
	}
	require.Equal(t, other.ID, s.get(t, "/v1/orders/"+other.ID+"/stream", "", "Authorization", ada.Bearer).require(t).data["id"])
	for _, last := range []string{"x", "-1", "1-2-3"} {
		require.Equal(t, http.StatusBadRequest, s.try(t, "/v1/events/stream", last, "Authorization", s.Staff(t)).StatusCode)
		require.Equal(t, http.StatusBadRequest, s.try(t, "/v1/orders/"+placed.ID+"/stream", last, "Authorization", s.Staff(t)).StatusCode)
	}
}

func capOrder() shoptest.Body { return shoptest.Order(shoptest.Of(shoptest.Cap, 1)) }

// INS-20, API-81: however often and wherever the connection is cut, each event is received once.
func TestCutStreamsHaveNoGapAndNoRepeat_INS_20(t *testing.T) {
	t.Parallel()
	s := openStreams(t)
	staff := []string{"Authorization", s.Staff(t)}
	const emitted = 400 // and 400 more
	cutAnywhere(t, 60, func(t *testing.T, next func() int) {
		first := s.get(t, "/v1/events/stream", "", staff...)
		first.lines.Scan() // retry
		first.lines.Scan()
		first.last = strings.TrimPrefix(first.lines.Text(), "id: ")
		_ = first.body.Close()
		last := first.last
		done := make(chan struct{})
		go func() { defer close(done); s.emitMany(t, emitted) }()
		var got []string
		for len(got) < 2*emitted {
			r := s.get(t, "/v1/events/stream", last, staff...)
			for range min(next(), 2*emitted-len(got)) {
				got = append(got, r.require(t).id)
			}
			last = r.last
			_ = r.body.Close()
		}
		<-done
		var want []string
		require.NoError(t, s.Pool.QueryRow(t.Context(), `
			SELECT array_agg(lpad(to_hex(xid::text::bigint), 16, '0') || '-' || lpad(to_hex(n::int), 4, '0') || '-' || event_id ORDER BY xid, n, event_id)
			FROM bus.event WHERE (xid, n, event_id) > (($1::text)::xid8, $2, $3::uuid)`, xidOf(t, first.last), 0, first.last[22:]).Scan(&want))
		require.Equal(t, want, got)
	})
}

// cutAnywhere runs a test with sequences of random lengths after which a connection is cut.
func cutAnywhere(t *testing.T, most int, test func(t *testing.T, next func() int)) {
	for seed := range shoptest.InFull(30, 3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(seed)))
			test(t, func() int { return 1 + r.IntN(most) })
		})
	}
}

func xidOf(t testing.TB, sequence string) string {
	t.Helper()
	var xid uint64
	_, err := fmt.Sscanf(sequence[:16], "%x", &xid)
	require.NoError(t, err)
	return fmt.Sprint(xid)
}

// API-96: each version of an order is sent once, wherever the connection is cut.
func TestAnOrdersStreamSendsEachVersionOnce_API_96(t *testing.T) {
	t.Parallel()
	s := openStreams(t)
	cutAnywhere(t, 4, func(t *testing.T, next func() int) {
		placed := s.Place(t, capOrder())
		changes := make(chan struct{})
		go func() {
			defer close(changes)
			for range 20 {
				s.ChangeOrder(t, placed.ID, "carrier = 'DHL'")
			}
		}()
		var versions []any
		last := "0"
		for len(versions) < 21 {
			r := s.get(t, "/v1/orders/"+placed.ID+"/stream", last, "Popup-Order-Token", placed.Token)
			for range min(next(), 21-len(versions)) {
				versions = append(versions, r.require(t).data["version"])
			}
			last = r.last
			_ = r.body.Close()
		}
		<-changes
		for i, version := range versions {
			require.EqualValues(t, i+1, version)
		}
	})
}

// API-96, NOT-15: a change is seen within a second; a guest who has no access any more gets nothing further.
func TestAnOrdersStreamShowsItsChanges(t *testing.T) {
	t.Parallel()
	s := openStreams(t)
	placed := s.Place(t, capOrder())
	guest := s.get(t, "/v1/orders/"+placed.ID+"/stream", "", "Popup-Order-Token", placed.Token)
	require.Equal(t, "pending", guest.require(t).data["status"])
	s.AwaitStatus(t, placed.ID, "confirmed")
	seen := map[any]bool{}
	for status := any(""); status != "confirmed"; seen[status] = true {
		status = guest.require(t).data["status"]
	}
	customer := s.SignIn(t, "customer")
	a := s.Call(t, "serve-orders", http.MethodPost, "/v1/orders/"+placed.ID+"/claim", map[string]string{"order_token": placed.Token}, "Authorization", customer.Bearer)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	_, ok := guest.next()
	require.False(t, ok, "the order is another's now")
}

// API-96: a browser comes with its cookies.
func TestAnOrdersStreamOpensWithACookie(t *testing.T) {
	t.Parallel()
	s := openStreams(t)
	placed := s.Place(t, capOrder())
	a := s.Call(t, "serve-orders", http.MethodPost, "/v1/orders/"+placed.OrderNumber+"/session", map[string]string{"order_token": placed.Token})
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	var cookies []string
	for _, cookie := range a.Header.Values("Set-Cookie") {
		cookies = append(cookies, strings.Split(cookie, ";")[0])
	}
	require.Len(t, cookies, 2)
	for _, name := range []string{placed.ID, placed.OrderNumber} {
		r := s.get(t, "/v1/orders/"+name+"/stream", "", "Cookie", strings.Join(cookies, "; "))
		require.Equal(t, placed.ID, r.require(t).data["id"])
	}
	other := s.Place(t, capOrder())
	require.Equal(t, http.StatusUnauthorized, s.try(t, "/v1/orders/"+other.ID+"/stream", "", "Cookie", strings.Join(cookies, "; ")).StatusCode)
}

// API-81: a stream ends with its access token, and with the program.
func TestStreamsEnd(t *testing.T) {
	t.Parallel()
	s := openStreams(t)
	c := token.Claims{ID: uuid.NewString(), Role: token.Staff, Session: uuid.NewString(), Email: "bo@example.test"}
	require.NoError(t, shoptest.AddAccount(t.Context(), s.Pool, c))
	soon := shoptest.BearerOf(t, c, time.Now().Add(2*time.Second-token.Life))
	expiring := s.get(t, "/v1/events/stream", "", "Authorization", soon)
	lasting := s.get(t, "/v1/events/stream", "", "Authorization", s.Staff(t))
	_, ok := expiring.next()
	require.False(t, ok)
	began := time.Now()
	s.stop()
	_, ok = lasting.next()
	require.False(t, ok)
	require.Less(t, time.Since(began), 5*time.Second)
	again := s.get(t, "/v1/events/stream", "", "Authorization", s.Staff(t))
	_, ok = again.next()
	require.False(t, ok, "a reader that comes back is sent away, without an error")
	require.Positive(t, again.beats, "with where to go on")
}

// serveOn serves the gateway as its program does, and returns its address.
func (s *streamed) serveOn(t testing.TB) string {
	t.Helper()
	gateway := servegateway.Within(testSettings())(func(name string) http.Handler { return s.Runtime(t, name).ServeMux(s.Function(t, name)) })
	server := function.NewServer(s.Runtime(t, "serve-gateway").ServeMux(&gateway))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(function.Bound(l)) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + l.Addr().String()
}

// API-81: the time in which a request must arrive does not end a stream.
func TestAStreamOutlastsTheTimeOfARequest(t *testing.T) {
	t.Parallel()
	s := openStreams(t)
	s.address = s.serveOn(t)
	r := s.get(t, "/v1/events/stream?type=order.confirmed", "", "Authorization", s.Staff(t))
	opened := make(chan message)
	go func() {
		m, _ := r.next()
		opened <- m
	}()
	select {
	case <-opened:
		t.Fatal("the stream has ended")
	case <-time.After(17 * time.Second): // a request has 12 s; a heartbeat comes after 15 s
	}
	s.OrderIn(t, "confirmed")
	require.Equal(t, "order.confirmed", (<-opened).data["type"])
	require.GreaterOrEqual(t, r.beats, 2)
}

// API-81: a reader who takes nothing is dropped, holds nothing up and resumes.
func TestASlowReaderIsDroppedAndResumes(t *testing.T) {
	t.Parallel()
	s := openStreams(t)
	s.address = s.serveOn(t)
	slow, quick := s.get(t, "/v1/events/stream", "", "Authorization", s.Staff(t)), s.get(t, "/v1/events/stream", "", "Authorization", s.Staff(t))
	big := strings.Repeat("x", 60_000)
	const many = 300 // 18 MB, more than the buffers of the connection
	for range many {
		s.Exec(t, `INSERT INTO bus.event (event_id, type, source, subject, causation_id, n, data)
			VALUES (gen_random_uuid(), 'stock.changed', '/functions/serve-stock', 'x', gen_random_uuid(), 0, json_build_object('text', $1::text))`, big)
	}
	for range many {
		quick.require(t)
	}
	time.Sleep(32 * time.Second) // a piece of a response has 30 s to be received
	received := 0
	for {
		if _, ok := slow.next(); !ok {
			break
		}
		received++
	}
	require.Less(t, received, many, "it was dropped")
	rest := s.get(t, "/v1/events/stream", slow.last, "Authorization", s.Staff(t))
	for range many - received {
		rest.require(t)
	}
	require.Equal(t, quick.last, rest.last)
}

// API-81: closed streams leave nothing behind, and a thousand open ones cost little.
func TestOpenStreamsCostLittleAndClosedOnesNothing(t *testing.T) {
	s := openStreams(t)
	placed := s.Place(t, capOrder())
	address := strings.TrimPrefix(s.serveOn(t), "http://")
	warm := openRaw(t, address, "/v1/events/stream", s.Staff(t), 10)
	closeAll(warm)
	time.Sleep(500 * time.Millisecond)
	before := goleak.IgnoreCurrent()
	base := memoryInUse()
	const each = 500
	streams := openRaw(t, address, "/v1/events/stream", s.Staff(t), each)
	streams = append(streams, openRaw(t, address, "/v1/orders/"+placed.ID+"/stream", s.Staff(t), each)...)
	s.AwaitStatus(t, placed.ID, "confirmed")
	time.Sleep(time.Second)
	cost := memoryInUse() - base
	t.Logf("%d streams cost %.1f MiB", len(streams), float64(cost)/(1<<20))
	require.Less(t, cost, int64(50<<20))
	closeAll(streams)
	pgx := "github.com/jackc/pgx/v5/" // its connections outlive the streams
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction(pgx+"pgxpool.(*Pool).backgroundHealthCheck"),
		goleak.IgnoreAnyFunction(pgx+"pgconn/internal/bgreader.(*BGReader).bgRead"))
}

func memoryInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// openRaw opens streams with connections that cost next to nothing, and reads the first byte of each.
func openRaw(t testing.TB, address, path, bearer string, n int) (all []net.Conn) {
	t.Helper()
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n\r\n", path, bearer)
	for range n {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		_, err = conn.Write(request)
		require.NoError(t, err)
		all = append(all, conn)
	}
	status := make([]byte, 15)
	for _, conn := range all {
		_, err := io.ReadFull(conn, status)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(status, []byte("HTTP/1.1 200 OK")), "%s", status)
	}
	return all
}

func closeAll(all []net.Conn) {
	for _, conn := range all {
		_ = conn.Close()
	}
}
