package function

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// rejectAmbiguousLength returns a handler that rejects requests with both Content-Length and Transfer-Encoding (RFC 9112, 6.3): a proxy
// on the way may have taken the other one for the length of the body, and the rest of it for a request of another caller. net/http
// deletes Content-Length before a handler sees it, so the bytes of the connection are looked at.
func rejectAmbiguousLength(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, ok := r.Context().Value(connKey{}).(*boundConn)
		if !ok || len(r.TransferEncoding) == 0 || conn.seen.plainHead(r.RequestURI) {
			to.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"type":"/problems/invalid","title":"invalid","status":400,`+
			`"detail":"The request has both Content-Length and Transfer-Encoding."}`)
	})
}

// rejectDotSegments returns a handler that responds with 404 to a path with a segment "." or "..", escaped or not. Browsers resolve
// such paths themselves, and [http.ServeMux] would lead the caller to another one.
func rejectDotSegments(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hasDotSegment(r.URL.EscapedPath()) {
			to.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"type":"/problems/not-found","title":"not found","status":404,`+
			`"detail":"There is no route with such a path."}`)
	})
}

func hasDotSegment(escapedPath string) bool {
	for segment := range strings.SplitSeq(escapedPath, "/") {
		plain, err := url.PathUnescape(segment)
		if err == nil && (plain == "." || plain == "..") {
			return true
		}
	}
	return false
}

type connKey struct{}

// withConn is the ConnContext of a server.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// forgetHead is the ConnState of a server: the head of a connection's next request begins when the one before has ended.
func forgetHead(c net.Conn, state http.ConnState) {
	if conn, ok := c.(*boundConn); ok && state == http.StateIdle {
		conn.seen.reset()
	}
}

// maxIdleHead is how many bytes an idle connection keeps to note its next head in.
const maxIdleHead = 4 << 10

// received holds the first bytes that a connection received for a request.
type received struct {
	mu    sync.Mutex
	bytes []byte
}

func (r *received) add(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes = append(r.bytes, b[:min(len(b), headMost-min(len(r.bytes), headMost))]...)
}

func (r *received) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes = r.bytes[:0]; cap(r.bytes) > maxIdleHead {
		r.bytes = nil
	}
}

// plainHead reports whether the bytes contain the head of the request for a URI, without a Content-Length.
func (r *received) plainHead(uri string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, head, ok := bytes.Cut(r.bytes, []byte(uri+" HTTP/1."))
	if !ok {
		return false // it came in one piece with the request before
	}
	for line := range bytes.Lines(head) {
		name, _, _ := strings.Cut(string(line), ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-length":
			return false
		case "":
			return true
		}
	}
	return false
}
