package servegateway

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/popup-shop/popup/internal/web"
)

// cacheKey is all of a request that a cached response may depend on: functions are called with nothing else when their
// response is to be cached. So requests with equal keys have equal responses, whatever other headers they have.
type cacheKey struct {
	path  string // escaped
	query string
	form  string // a media type
}

func (k cacheKey) size() int { return len(k.path) + len(k.query) + len(k.form) }

// keyOf returns the key of a request. The order of different parameters means nothing; that of equal ones does.
func keyOf(r *http.Request) cacheKey {
	query := r.URL.RawQuery
	if values, err := url.ParseQuery(query); err == nil && strings.Contains(query, "&") {
		query = values.Encode()
	}
	return cacheKey{r.URL.EscapedPath(), query, web.MediaType(r.Header)}
}

// request is the request that loads what the key names. The request id and the trace are the caller's; they are for logs.
func (k cacheKey) request(ctx context.Context, from http.Header) *http.Request {
	// A proxy panics when a response breaks off only where it believes itself in a server.
	ctx = context.WithValue(ctx, http.ServerContextKey, &http.Server{})
	r := (&http.Request{
		Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
		Header: http.Header{
			"Accept": {k.form}, "X-Request-Id": {from.Get("X-Request-ID")}, "Traceparent": {from.Get("Traceparent")},
		},
	}).WithContext(ctx)
	path, err := url.PathUnescape(k.path)
	if err != nil {
		path = k.path // what EscapedPath returns can be unescaped
	}
	r.URL = &url.URL{Path: path, RawPath: k.path, RawQuery: k.query}
	r.RequestURI = r.URL.RequestURI()
	return r
}

// anonymous reports whether a request has nothing beside its key that a response which is not cached may depend on.
func anonymous(r *http.Request) bool {
	for _, name := range []string{"Authorization", "Cookie", "Accept-Language", "Popup-Order-Token", "Popup-Basket-Token"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	return true
}
