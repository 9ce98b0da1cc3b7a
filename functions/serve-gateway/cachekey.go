package servegateway

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// cacheKey holds the parts of a request that a cached response may depend on. A function whose response is to be cached
// receives only these, so requests with equal keys have equal responses, whatever other headers they have.
type cacheKey struct {
	path  string // escaped
	query string
}

func (k cacheKey) size() int { return len(k.path) + len(k.query) }

// keyOf returns the key of a request. The order of query parameters with different names is ignored.
func keyOf(r *http.Request) cacheKey {
	query := r.URL.RawQuery
	values, err := url.ParseQuery(query)
	if err == nil && strings.Contains(query, "&") {
		query = values.Encode()
	}
	return cacheKey{r.URL.EscapedPath(), query}
}

// request returns the request that loads the response for a key. It carries the caller's request id and trace, for
// logs.
func (k cacheKey) request(ctx context.Context, from http.Header) *http.Request {
	// A ReverseProxy panics on a response that breaks off only if the context comes from a server.
	ctx = context.WithValue(ctx, http.ServerContextKey, &http.Server{})
	r := (&http.Request{
		Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
		Header: http.Header{
			"X-Request-Id": {from.Get("X-Request-ID")}, "Traceparent": {from.Get("Traceparent")},
		},
	}).WithContext(ctx)
	path, err := url.PathUnescape(k.path)
	if err != nil {
		path = k.path // does not happen: EscapedPath returns valid encodings
	}
	r.URL = &url.URL{Path: path, RawPath: k.path, RawQuery: k.query}
	r.RequestURI = r.URL.RequestURI()
	return r
}

// anonymous reports whether a request has no header beside those of its key that a response may depend on.
func anonymous(r *http.Request) bool {
	for _, name := range []string{"Authorization", "Cookie", "Accept-Language", "Popup-Order-Token", "Popup-Basket-Token"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	return true
}
