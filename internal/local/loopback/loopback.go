// Package loopback keeps what is only for the people at this machine from everyone else.
package loopback

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Only serves requests that come from this machine and name it as localhost, 127.0.0.1 or [::1], and answers all others with
// 403. A page of another site that has its own name resolve to 127.0.0.1 sends that name as Host; a proxy that lets others in
// adds X-Forwarded-For or Forwarded.
func Only(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := refusal(r); why != "" {
			w.Header().Set("X-Content-Type-Options", "nosniff")
			http.Error(w, why, http.StatusForbidden)
			return
		}
		to.ServeHTTP(w, r)
	})
}

// refusal is why a request is refused, or "".
func refusal(r *http.Request) string {
	switch {
	case !fromHere(r.RemoteAddr):
		return "This can be seen only on the machine that runs the shop."
	case !local(r.Host):
		return "Open this at http://localhost or http://127.0.0.1, not under another name."
	case r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "":
		return "This can't be seen through a proxy."
	}
	return ""
}

// fromHere reports whether the address of a connection is one of this machine's own.
func fromHere(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// local reports whether a Host header names this machine.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return strings.EqualFold(host, "localhost") || host == "127.0.0.1" || host == "::1"
}
