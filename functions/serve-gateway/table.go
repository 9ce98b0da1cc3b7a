package servegateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2/negotiation"
)

// hasTable reports whether a route is a list that another route serves as CSV.
func hasTable(targets []Target, list Target) bool {
	return slices.ContainsFunc(targets, func(t Target) bool { return t.Path == list.Path+".csv" })
}

// withTable redirects clients of before, which ask for a list as CSV by Accept, to the path of the table.
func withTable(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accept := strings.Join(r.Header.Values("Accept"), ",")
		if negotiation.SelectQValue(accept, []string{"application/json", "text/csv"}) != "text/csv" {
			to.ServeHTTP(w, r)
			return
		}
		at := *r.URL
		at.Path += ".csv"
		if at.RawPath != "" {
			at.RawPath += ".csv"
		}
		w.Header().Add("Vary", "Accept")
		w.Header().Set("Location", at.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
}
