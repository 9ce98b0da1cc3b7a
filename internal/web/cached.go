package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// SurrogateKeyHeader carries the names of what an answer shows from a function to the gateway, and no further.
const SurrogateKeyHeader = "Surrogate-Key"

// Cached lets the gateway keep answers of a route that reads, for as long as this and until something changes of what they
// show. Only answers that say what they show are kept; they must be the same for every caller.
func Cached(keep time.Duration, r Route) Route {
	if r.Method != http.MethodGet || r.Access != All {
		panic(fmt.Sprintf("%s %s is not for everybody to read, so its answers can't be kept", r.Method, r.Path))
	}
	r.CacheFor = int(keep / time.Second)
	return r
}

// SurrogateKeys says what the answer to a call shows, in the names of events.Shown.
func SurrogateKeys(ctx context.Context, names ...string) {
	if answer := callOf(ctx).answer; answer != nil {
		answer.AppendHeader(SurrogateKeyHeader, strings.Join(names, " "))
	}
}

// etagMiddleware gives what was read a tag of its content, and answers 304 to whoever has it already (RFC 9110, 8.8.3 and 13.1.2).
func etagMiddleware(ctx huma.Context, next func(huma.Context)) {
	if ctx.Method() != http.MethodGet && ctx.Method() != http.MethodHead {
		next(ctx)
		return
	}
	answer := &bufferedResponse{humaContext: ctx}
	next(answer)
	answer.send()
}

type humaContext = huma.Context // which has a method Context

// bufferedResponse is an answer that is not sent yet.
type bufferedResponse struct {
	humaContext
	status int
	body   bytes.Buffer
}

func (h *bufferedResponse) Unwrap() huma.Context  { return h.humaContext }
func (h *bufferedResponse) SetStatus(status int)  { h.status = status }
func (h *bufferedResponse) Status() int           { return h.status }
func (h *bufferedResponse) BodyWriter() io.Writer { return &h.body }

func (h *bufferedResponse) send() {
	if h.status == http.StatusOK {
		tag := ETag(h.body.Bytes())
		h.SetHeader("ETag", tag)
		if ETagMatches(h.Header("If-None-Match"), tag) {
			h.humaContext.SetStatus(http.StatusNotModified)
			return
		}
	}
	h.humaContext.SetStatus(h.status)
	_, _ = h.humaContext.BodyWriter().Write(h.body.Bytes()) // the caller may have left
}

// ETag is the tag of a content.
func ETag(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// ETagMatches says whether an If-None-Match header names a tag.
func ETagMatches(header, tag string) bool {
	for named := range strings.SplitSeq(header, ",") {
		if named = strings.TrimPrefix(strings.TrimSpace(named), "W/"); named == tag || named == "*" {
			return true
		}
	}
	return false
}
