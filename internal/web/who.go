package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/popup-shop/popup/internal/token"
)

// Who may take a route: one of these, or several made into one by Any. Staff may take what customers and guests may, an
// admin what staff may.
const (
	All         = "all"         // anybody
	Credentials = "credentials" // anybody: the call brings a password or another secret, and a token beside it is not looked at
	Customer    = "cust"        // a customer or a guest, for their own objects
	Account     = "account"     // a customer who has an account, for what only accounts have
	Guest       = "guest"       // a guest, for their own objects
	TokenHolder = "order-token" // whoever shows an order token; which order it opens is decided in SQL
	Staff       = "staff"       // staff
	Admin       = "admin"       // an admin
)

// Client is a machine client with a scope.
func Client(scope string) string { return "client:" + scope }

// Any is whoever one of them admits.
func Any(who ...string) string { return strings.Join(who, ", ") }

// Scopes are those that a machine client can have.
func Scopes() []string {
	return []string{"orders", "stock", "catalogue", "events", "documents", "metrics"}
}

// admitted are the roles that a word admits.
var admitted = map[string][]string{
	All:         {"", token.Guest, token.Customer, token.Staff, token.Admin, token.Client},
	Credentials: {"", token.Guest, token.Customer, token.Staff, token.Admin, token.Client},
	Customer:    {token.Guest, token.Customer, token.Staff, token.Admin},
	Account:     {token.Customer, token.Staff, token.Admin},
	Guest:       {token.Guest, token.Staff, token.Admin},
	TokenHolder: {},
	Staff:       {token.Staff, token.Admin},
	Admin:       {token.Admin},
}

// mustSay panics when a route does not say who may take it, in words that are known.
func mustSay(method, path, who string) {
	for word := range strings.SplitSeq(who, ", ") {
		_, known := admitted[word]
		scope, client := strings.CutPrefix(word, "client:")
		if !known && !(client && slices.Contains(Scopes(), scope)) {
			panic(fmt.Sprintf("%s %s does not say who may take it: %q", method, path, who))
		}
	}
}

// admits says whether a caller may take a route.
func admits(who string, c Caller) bool {
	for word := range strings.SplitSeq(who, ", ") {
		scope, client := strings.CutPrefix(word, "client:")
		switch {
		case slices.Contains(admitted[word], c.Role), client && c.Has(scope), word == TokenHolder && c.OrderToken != "":
			return true
		}
	}
	return false
}

// refusalOf is what somebody hears who may not take a route.
func refusalOf(c Caller) *Problem {
	if c.Role == "" {
		return NotSignedIn()
	}
	return NotAllowed()
}

// NotSignedIn is a call that needs a token and has none that is valid.
func NotSignedIn() *Problem {
	return New(http.StatusUnauthorized, "not-signed-in", "this needs a valid token")
}

// NotAllowed is a call that its caller may not make.
func NotAllowed() *Problem {
	return New(http.StatusForbidden, "not-allowed", "this is for others")
}
