// Package account has the pages of an account: signing in and up, profile, addresses and keys.
package account

import "github.com/popup-shop/popup/functions/serve-web/page"

// Routes returns the pages of an account.
func Routes() []page.Route {
	return []page.Route{
		{Pattern: "GET /sign-in", Serve: signIn},
		{Pattern: "POST /sign-in", Serve: signIn},
		{Pattern: "POST /sign-out", Serve: signOut},
	}
}
