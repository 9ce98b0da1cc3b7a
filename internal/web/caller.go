package web

import (
	"context"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/function"
)

// Caller is who calls.
type Caller struct {
	Staff      bool
	OrderToken string // opens one order
}

type callKey struct{}

// call is what is known about a call beside its input.
type call struct {
	Caller
	requestID string
	path      string
	answer    huma.Context
}

// CallerOf is who made the call that ctx belongs to.
func CallerOf(ctx context.Context) Caller { return callOf(ctx).Caller }

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

func requestID(ctx context.Context) string { return callOf(ctx).requestID }

// identify finds out who calls, and refuses staff's routes to everybody else.
func (d door) identify(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		u := ctx.URL()
		c := call{Caller: Caller{OrderToken: ctx.Header("Popup-Order-Token")}, requestID: ctx.Header("X-Request-ID"), path: u.Path, answer: ctx}
		bearer, shown := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
		c.Staff = shown && d.access.StaffToken != "" && subtle.ConstantTimeCompare([]byte(bearer), []byte(d.access.StaffToken)) == 1
		switch who := ctx.Operation().Metadata["who"]; {
		case ctx.Header("Authorization") != "" && !c.Staff, who == Staff && !shown:
			refuse(api, ctx, NewProblem(http.StatusUnauthorized, "not-signed-in", "this needs a valid token"))
			return
		}
		ctx = huma.WithValue(ctx, callKey{}, c)
		next(huma.WithContext(ctx, function.WithTrace(ctx.Context(), ctx.Header("Traceparent"))))
	}
}

func refuse(api huma.API, ctx huma.Context, p *Problem) {
	p.RequestID = ctx.Header("X-Request-ID")
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = api.Marshal(ctx.BodyWriter(), "application/json", p)
}
