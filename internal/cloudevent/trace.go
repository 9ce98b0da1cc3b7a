package cloudevent

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
)

type traceKey struct{}

var traceForm = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// WithTrace returns a context with a W3C traceparent; one that is malformed is replaced by a new one.
func WithTrace(ctx context.Context, traceparent string) context.Context {
	if !traceForm.MatchString(traceparent) {
		traceparent = NewTrace()
	}
	return context.WithValue(ctx, traceKey{}, traceparent)
}

// Trace returns the traceparent of ctx, or "".
func Trace(ctx context.Context) string {
	trace, _ := ctx.Value(traceKey{}).(string)
	return trace
}

// NewTrace returns the traceparent of a new trace.
func NewTrace() string {
	var id [24]byte
	_, _ = rand.Read(id[:]) // never fails
	return "00-" + hex.EncodeToString(id[:16]) + "-" + hex.EncodeToString(id[16:]) + "-01"
}

// ChildTrace returns the traceparent of what a function does with an event: that of the event with a span of its own, which is the
// same for each attempt. An event without a trace has none.
func ChildTrace(traceparent, function, eventID string) string {
	if !traceForm.MatchString(traceparent) {
		return traceparent
	}
	return traceparent[:36] + ChildSpan(function, eventID) + traceparent[52:]
}

// ChildSpan returns the id of the span of what a function does with an event.
func ChildSpan(function, eventID string) string {
	sum := sha256.Sum256([]byte(function + " " + eventID))
	return hex.EncodeToString(sum[:8])
}

// SplitTrace returns the ids of the trace and the span in a traceparent. ok reports whether it is well-formed.
func SplitTrace(traceparent string) (traceID, spanID string, ok bool) {
	if !traceForm.MatchString(traceparent) {
		return "", "", false
	}
	return traceparent[3:35], traceparent[36:52], true
}
