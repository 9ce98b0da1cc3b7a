package function_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/function"
)

// serveBound returns the address of a server that serves handler within the limits of a listener.
func serveBound(t *testing.T, writeIn time.Duration, counted func(netip.Addr) bool, handler http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := function.NewServer(handler)
	go func() { _ = server.Serve(function.BoundTo(l, writeIn, counted)) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// A caller who reads nothing holds a connection for a limited time, and one who reads slowly gets everything.
func TestConnectionOfACallerWhoReadsNothingIsClosed(t *testing.T) {
	t.Parallel()
	const size = 64 << 20 // more than all buffers between the two
	ended := make(chan struct{}, 50)
	address := serveBound(t, time.Second, func(netip.Addr) bool { return false }, func(w http.ResponseWriter, _ *http.Request) {
		defer func() { ended <- struct{}{} }()
		_, _ = w.Write(bytes.Repeat([]byte("x"), size))
	})
	for range cap(ended) {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
	}
	for range cap(ended) {
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Fatal("a response still waits for its caller")
		}
	}
	response, err := http.Get("http://" + address)
	require.NoError(t, err)
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.EqualValues(t, size, n)
}

func TestConnectionsOfOneNetworkAreLimited(t *testing.T) {
	t.Parallel()
	counted := true
	address := serveBound(t, time.Second, func(netip.Addr) bool { return counted }, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	var conns []net.Conn
	for range 256 {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		conns = append(conns, conn)
	}
	ask := func() error {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
		response, err := client.Get("http://" + address)
		if err == nil {
			_ = response.Body.Close()
		}
		return err
	}
	require.Error(t, ask(), "one more")
	require.NoError(t, conns[0].Close())
	require.Eventually(t, func() bool { return ask() == nil }, 5*time.Second, 10*time.Millisecond, "one has gone")
}

func TestOnlyPublicAddressesAreCounted(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"203.0.113.7": true, "2001:db8::1": true, "127.0.0.1": false, "::1": false, "10.1.2.3": false, "192.168.0.1": false, "fd00::1": false,
		"169.254.0.1": false, "fe80::1": false, "100.64.0.1": false,
	} {
		require.Equal(t, want, function.IsPublic(netip.MustParseAddr(address)), address)
	}
}

// exchange sends requests on one connection, each when the one before was answered, and returns the statuses.
func exchange(t *testing.T, address string, requests ...string) (statuses []int) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	from := bufio.NewReader(conn)
	for _, request := range requests {
		if _, err := io.WriteString(conn, request); err != nil {
			return statuses
		}
		response, err := http.ReadResponse(from, nil)
		if err != nil {
			return statuses
		}
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		statuses = append(statuses, response.StatusCode)
	}
	return statuses
}

// A request whose length is ambiguous is rejected, and its connection closed.
func TestRequestWithTwoLengthsIsRejected(t *testing.T) {
	t.Parallel()
	address := serveBound(t, time.Minute, function.IsPublic, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	const (
		plain   = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
		length  = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
		chunked = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
		decoy   = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1b\r\na\r\nContent-Length: 27\r\n\r\nabc\r\n0\r\n\r\n"
		both    = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
		hidden  = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\ncOntent-lEngth : 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
		lower   = "POST /a HTTP/1.1\r\nHost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	)
	require.Equal(t, []int{204, 204, 204, 204, 204, 204, 204}, exchange(t, address, plain, length, chunked, chunked, length, plain, chunked))
	require.Equal(t, []int{204, 400}, exchange(t, address, chunked, both, plain), "the connection is closed")
	require.Equal(t, []int{204, 400}, exchange(t, address, plain, lower, plain))
	require.Equal(t, []int{400}, exchange(t, address, hidden, plain))
	require.Equal(t, []int{204}, exchange(t, address, decoy), "a body may contain what looks like a head")
	require.Equal(t, []int{400}, exchange(t, address, both+plain, plain))
}
