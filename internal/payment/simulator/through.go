package simulator

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
)

// Through returns a Notify that hands notices to the public door of a shop, which may not be open yet.
func Through(door func() http.Handler) func(ctx context.Context, provider string, body []byte, signature string) (status int) {
	return func(ctx context.Context, provider string, body []byte, signature string) int {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/v1/webhooks/"+provider, bytes.NewReader(body))
		if err != nil || door() == nil {
			return http.StatusServiceUnavailable
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Popup-Signature", signature)
		r.RemoteAddr = "127.0.0.1:0"
		w := httptest.NewRecorder()
		door().ServeHTTP(w, r)
		return w.Code
	}
}
