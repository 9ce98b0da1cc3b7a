package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/problem"
)

// within is the transaction of a PUT in which the current representation of its object is read. Events that reading emits belong to
// the PUT.
type within struct {
	tx      pgx.Tx
	emitted []events.Event
}

type withinKey struct{}

// withinFrom returns nil for a request that comes from outside.
func withinFrom(ctx context.Context) *within {
	w, _ := ctx.Value(withinKey{}).(*within)
	return w
}

// PartOf returns a PUT route whose If-Match is compared with the ETag of the GET route with path, for an object that has no GET of its
// own. The parameters of path are among those of the route.
func PartOf(path string, r Route) Route {
	r.represented = path
	return r
}

// Undeclared returns a GET route that no caller can use. It gives a PUT route with the same path its current representation, where
// another function serves the GET.
func Undeclared(r Route) Route {
	r.undeclared = true
	return r
}

// checkPrecondition rejects a PUT or DELETE whose If-Match (RFC 9110, 13.1.1) does not name the current representation of its object, which is
// the response to a GET of the same caller. Two changes of one object run one after the other, so that neither comes between the
// check and the change of the other. It returns the events that reading emitted.
func (s *server) checkPrecondition(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	request := auth.RequestFrom(ctx)
	path := s.representation(ctx)
	err := pgbatch.Enqueue(ctx, tx, -1, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, path)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	condition := strings.TrimSpace(request.Header("If-Match"))
	if condition == "" || condition == "*" { // for an object that does not exist the handler responds
		return nil, nil
	}
	in := &within{tx: tx}
	current := s.readWithin(context.WithValue(ctx, withinKey{}, in), path)
	if current.status == http.StatusNotFound {
		return nil, nil
	}
	tag := current.header.Get("ETag")
	if tag == "" || !strongMatch(condition, tag) {
		return nil, problem.Changed(tag)
	}
	return in.emitted, nil
}

// representation returns the path of the GET whose ETag If-Match is compared with.
func (s *server) representation(ctx context.Context) string {
	r, _ := humago.Unwrap(responseFrom(ctx))
	path := cmp.Or(s.route.represented, s.route.Path)
	for _, segment := range strings.Split(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			path = strings.Replace(path, segment, r.PathValue(strings.TrimSuffix(name, "}")), 1)
		}
	}
	return path
}

// readWithin returns the response to a GET by the caller of ctx, without its body, or status 0 if there is no such route.
func (s *server) readWithin(ctx context.Context, path string) *responseHead {
	response := &responseHead{header: http.Header{}}
	original, _ := humago.Unwrap(responseFrom(ctx))
	r := original.Clone(ctx)
	r.Method, r.Body, r.ContentLength = http.MethodGet, http.NoBody, 0
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = path, "", ""
	for _, name := range []string{"If-Match", "If-None-Match", "Content-Type", "Content-Length", "Accept"} {
		r.Header.Del(name)
	}
	if _, pattern := s.mux.Handler(r); pattern == "/" || !strings.HasPrefix(pattern, http.MethodGet+" ") {
		return response
	}
	s.mux.ServeHTTP(response, r)
	return response
}

// responseHead is a ResponseWriter that keeps status and header.
type responseHead struct {
	status int
	header http.Header
}

func (h *responseHead) Header() http.Header         { return h.header }
func (h *responseHead) Write(b []byte) (int, error) { return len(b), nil }
func (h *responseHead) WriteHeader(status int)      { h.status = status }

// strongMatch reports whether an If-Match header names a tag. Weak tags match nothing.
func strongMatch(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(candidate) == tag {
			return true
		}
	}
	return false
}

// whenUnchanged returns a handler that runs after checkPrecondition.
func whenUnchanged[I, O any](s *server, handle TxHandler[I, O]) TxHandler[I, O] {
	return func(ctx context.Context, tx pgx.Tx, in *I) (*O, []events.Event, error) {
		read, err := s.checkPrecondition(ctx, tx)
		if err != nil {
			return nil, nil, err
		}
		out, emitted, err := handle(ctx, tx, in)
		return out, append(read, emitted...), err
	}
}
