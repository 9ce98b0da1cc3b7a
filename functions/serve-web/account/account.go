// Package account has the pages of an account: signing in and up, profile, addresses and keys.
package account

import "github.com/popup-shop/popup/functions/serve-web/page"

// Routes returns the pages of an account.
func Routes() []page.Route {
	routes := []page.Route{
		{Pattern: "GET /sign-in", Serve: signIn},
		{Pattern: "POST /sign-in", Serve: signIn},
		{Pattern: "POST /sign-out", Serve: signOut},
		{Pattern: "GET /sign-up", Serve: signUp},
		{Pattern: "POST /sign-up", Serve: signUp},
		{Pattern: "GET /forgot", Serve: forgot},
		{Pattern: "POST /forgot", Serve: forgot},
		{Pattern: "GET /reset", Serve: reset},
		{Pattern: "GET /reset/{token}", Serve: reset},
		{Pattern: "POST /reset", Serve: reset},
		{Pattern: "GET /guest", Serve: guest},
		{Pattern: "POST /guest", Serve: guest},
	}
	for pattern, serve := range map[string]page.Handler{
		"GET /account":                 profile,
		"POST /account":                profile,
		"POST /account/password":       changePassword,
		"POST /account/sessions":       endSessions,
		"GET /account/data":            data,
		"POST /account/close":          closeAccount,
		"GET /account/addresses":       addresses,
		"GET /account/addresses/new":   address,
		"POST /account/addresses/new":  address,
		"GET /account/addresses/{id}":  address,
		"POST /account/addresses/{id}": address,
		"GET /account/points":          points,
		"GET /account/keys":            keys,
		"POST /account/keys":           keys,
	} {
		routes = append(routes, page.Route{Pattern: pattern, Serve: page.ForAccounts(serve)})
	}
	return routes
}
