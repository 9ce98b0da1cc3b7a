package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// etagMiddleware adds an ETag to responses of GET, and responds 304 to a request whose If-None-Match names it (RFC 9110, 8.8.3 and
// 13.1.2).
func etagMiddleware(ctx huma.Context, next func(huma.Context)) {
	if ctx.Method() != http.MethodGet && ctx.Method() != http.MethodHead {
		next(ctx)
		return
	}
	response := &bufferedResponse{humaContext: ctx}
	next(response)
	response.send()
}

type humaContext = huma.Context // which has a method Context

// bufferedResponse holds a response until send.
type bufferedResponse struct {
	humaContext
	status int
	body   bytes.Buffer
}

func (b *bufferedResponse) Unwrap() huma.Context  { return b.humaContext }
func (b *bufferedResponse) SetStatus(status int)  { b.status = status }
func (b *bufferedResponse) Status() int           { return b.status }
func (b *bufferedResponse) BodyWriter() io.Writer { return &b.body }

func (b *bufferedResponse) send() {
	if b.status == http.StatusOK {
		tag := ETag(b.body.Bytes())
		b.SetHeader("ETag", tag)
		if ETagMatches(b.Header("If-None-Match"), tag) {
			b.humaContext.SetStatus(http.StatusNotModified)
			return
		}
	}
	b.humaContext.SetStatus(b.status)
	_, _ = b.humaContext.BodyWriter().Write(b.body.Bytes()) // fails when the caller has gone
}

// ETag returns the strong entity tag of a body.
func ETag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// ETagMatches reports whether an If-None-Match header names a tag.
func ETagMatches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == tag || candidate == "*" {
			return true
		}
	}
	return false
}
