package web

import (
	"net/http"
	"runtime/debug"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/function"
)

// recoverMiddleware makes a panic of a handler a problem: without it a program of one function would end the connection, and the
// gateway would take it for a function that is away.
func recoverMiddleware(api huma.API, rt *function.Runtime, name string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		defer func() {
			p := recover()
			if p == nil || p == http.ErrAbortHandler {
				return
			}
			rt.Log.ErrorContext(ctx.Context(), "panic", "function", name, "request", ctx.Header("X-Request-ID"), "panic", p, "stack", string(debug.Stack()))
			refuse(api, ctx, internalError())
		}()
		next(ctx)
	}
}

// internalError is a problem that only we can solve.
func internalError() *Problem {
	return New(http.StatusInternalServerError, "internal", "this is our fault; the request id finds it in our logs")
}
