// Package access defines which callers may use an HTTP route.
package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/popup-shop/popup/internal/token"
)

// Access is a list of rules; a caller who satisfies one of them may use the route. Its text form, such as "staff,
// client:stock", is published with the routes.
type Access struct{ rules []rule }

// rule admits roles, machine clients with a scope, or callers with an order token.
type rule struct {
	name       string
	roles      []string
	scope      string
	orderToken bool
}

// The rules. Staff may use every route of customers and guests, an admin every route of staff.
var (
	// All admits every caller.
	All = admit("all", "", token.Guest, token.Customer, token.Staff, token.Admin, token.Client)

	// Credentials admits every caller and ignores the token of the request, which brings a password or another secret.
	Credentials = admit("credentials", "", token.Guest, token.Customer, token.Staff, token.Admin, token.Client)

	// Customer admits customers and guests, to their own objects.
	Customer = admit("cust", token.Guest, token.Customer, token.Staff, token.Admin)

	// Account admits customers with an account.
	Account = admit("account", token.Customer, token.Staff, token.Admin)

	// Guest admits guests, to their own objects.
	Guest = admit("guest", token.Guest, token.Staff, token.Admin)

	// OrderToken admits every caller with an order token; the database decides which order it opens.
	OrderToken = Access{[]rule{{name: "order-token", orderToken: true}}}

	// Staff admits staff.
	Staff = admit("staff", token.Staff, token.Admin)

	// Admin admits administrators.
	Admin = admit("admin", token.Admin)
)

var named = []Access{All, Credentials, Customer, Account, Guest, OrderToken, Staff, Admin}

func admit(name string, roles ...string) Access { return Access{[]rule{{name: name, roles: roles}}} }

const clientPrefix = "client:"

// Client admits machine clients with a scope. It panics on a scope that does not exist.
func Client(scope string) Access {
	if !slices.Contains(Scopes(), scope) {
		panic("access: unknown scope " + scope)
	}
	return Access{[]rule{{name: clientPrefix + scope, scope: scope}}}
}

// Scopes returns the scopes that a machine client can have.
func Scopes() []string {
	return []string{"orders", "stock", "catalogue", "events", "documents", "metrics"}
}

// Any admits everyone whom one of the parts admits.
func Any(parts ...Access) (a Access) {
	for _, part := range parts {
		a.rules = append(a.rules, part.rules...)
	}
	return a
}

// Parse returns the Access with a text form.
func Parse(text string) (a Access, err error) {
	for name := range strings.SplitSeq(text, ", ") {
		part, err := parseRule(name)
		if err != nil {
			return Access{}, err
		}
		a.rules = append(a.rules, part.rules...)
	}
	return a, nil
}

func parseRule(name string) (Access, error) {
	if scope, ok := strings.CutPrefix(name, clientPrefix); ok && slices.Contains(Scopes(), scope) {
		return Client(scope), nil
	}
	at := slices.IndexFunc(named, func(a Access) bool { return a.rules[0].name == name })
	if at < 0 {
		return Access{}, fmt.Errorf("unknown access rule %q", name)
	}
	return named[at], nil
}

// String returns the text form.
func (a Access) String() string {
	names := make([]string, len(a.rules))
	for i, r := range a.rules {
		names[i] = r.name
	}
	return strings.Join(names, ", ")
}

// MarshalText returns the text form.
func (a Access) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the text form.
func (a *Access) UnmarshalText(text []byte) (err error) {
	*a, err = Parse(string(text))
	return err
}

// IsZero reports whether there are no rules, so that no caller may use the route.
func (a Access) IsZero() bool { return len(a.rules) == 0 }

// Is reports whether a is the same as another Access.
func (a Access) Is(other Access) bool { return a.String() == other.String() }

// Includes reports whether the rules of part are among those of a.
func (a Access) Includes(part Access) bool {
	for _, r := range part.rules {
		if !slices.ContainsFunc(a.rules, func(own rule) bool { return own.name == r.name }) {
			return false
		}
	}
	return true
}

// Scopes returns the scopes with which a machine client may use the route.
func (a Access) Scopes() (scopes []string) {
	for _, r := range a.rules {
		if r.scope != "" {
			scopes = append(scopes, r.scope)
		}
	}
	return scopes
}

// Allows reports whether a caller with these claims may use the route. hasOrderToken is whether the request brings an
// order token.
func (a Access) Allows(c token.Claims, hasOrderToken bool) bool {
	return slices.ContainsFunc(a.rules, func(r rule) bool {
		return slices.Contains(r.roles, c.Role) ||
			r.orderToken && hasOrderToken ||
			r.scope != "" && c.Role == token.Client && slices.Contains(c.Scopes, r.scope)
	})
}
