package jetstreambroker

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/jetstream"
)

// ingressServer is the program's own HTTP server with one Broker, at its address.
func ingressServer(t *testing.T, readTimeout time.Duration) string {
	t.Helper()
	nats, err := jetstream.StartServer(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(nats.Close)
	broker, err := jetstream.Open(t.Context(), nats.Conn, jetstream.Stream{Name: "shop"})
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(nil)
	server.Config = newServer("0", jetstream.Ingress(func(*http.Request) (*jetstream.Broker, error) { return broker, nil }))
	if readTimeout > 0 {
		server.Config.ReadTimeout = readTimeout
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// connect opens connections that send a text each and then nothing more.
func connectAll(t *testing.T, address string, n int, text string) (all []net.Conn) {
	t.Helper()
	for range n {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = conn.Write([]byte(text))
		require.NoError(t, err)
		all = append(all, conn)
	}
	return all
}

// begun is the beginning of a request with an event, of which so many bytes arrive.
func begun(arrived int) string {
	return fmt.Sprintf("POST /shop/shop HTTP/1.1\r\nHost: broker\r\nCe-Specversion: 1.0\r\nCe-Id: 1\r\nCe-Type: a\r\nCe-Source: /x\r\n"+
		"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", jetstream.MaxEvent, strings.Repeat("x", arrived))
}

func post(t *testing.T, address, id string) int {
	t.Helper()
	r, err := jetstream.Post(t.Context(), http.DefaultClient, "http://"+address+"/shop/shop", jetstream.Event{
		Attributes: map[string]string{"specversion": "1.0", "id": id, "type": "a", "source": "/test"}, Data: []byte(`{}`),
	})
	require.NoError(t, err)
	return r.Status
}

func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func TestAThousandIdleConnectionsStopNoOtherCaller(t *testing.T) {
	address := ingressServer(t, 0)
	require.Equal(t, http.StatusAccepted, post(t, address, "before"))
	before := memory()
	connectAll(t, address, 1000, "")
	began := time.Now()
	for i := range 20 {
		require.Equal(t, http.StatusAccepted, post(t, address, fmt.Sprint(i)))
	}
	require.Less(t, time.Since(began), 5*time.Second)
	require.Less(t, memory(), before+48<<20)
}

func TestASlowBodyEnds(t *testing.T) {
	address := ingressServer(t, 500*time.Millisecond)
	slow := connectAll(t, address, 200, begun(1000))
	require.Equal(t, http.StatusAccepted, post(t, address, "other"))
	for _, conn := range slow {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		_ = response.Body.Close()
		require.Equal(t, http.StatusRequestTimeout, response.StatusCode)
		require.True(t, response.Close, "the connection ends, too")
	}
}

// Together they would need 250 MiB, which is the memory of the program: those that find no room are refused.
func TestAThousandBodiesThatStopInTheMiddleDoNotFillTheMemory(t *testing.T) {
	address := ingressServer(t, 3*time.Second)
	before := memory()
	slow := connectAll(t, address, 1000, begun(jetstream.MaxEvent-1))
	require.Equal(t, http.StatusAccepted, post(t, address, "meanwhile"))
	require.Less(t, memory(), before+160<<20)
	statuses := map[int]int{}
	for _, conn := range slow {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil { // the server closes a connection on which it did not read everything
			continue
		}
		_ = response.Body.Close()
		statuses[response.StatusCode]++
	}
	require.Positive(t, statuses[http.StatusServiceUnavailable], "%v", statuses)
	require.Equal(t, http.StatusAccepted, post(t, address, "after"))
}
