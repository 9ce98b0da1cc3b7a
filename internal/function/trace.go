package function

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"
)

type traceKey struct{}

var traceForm = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// WithTrace keeps a W3C traceparent in ctx; one that is none is replaced by a new one.
func WithTrace(ctx context.Context, traceparent string) context.Context {
	if !traceForm.MatchString(traceparent) {
		traceparent = newTrace()
	}
	return context.WithValue(ctx, traceKey{}, traceparent)
}

// Trace is the traceparent of ctx, or "".
func Trace(ctx context.Context) string {
	trace, _ := ctx.Value(traceKey{}).(string)
	return trace
}

func newTrace() string {
	var id [24]byte
	_, _ = rand.Read(id[:]) // never fails
	return "00-" + hex.EncodeToString(id[:16]) + "-" + hex.EncodeToString(id[16:]) + "-01"
}
