// Package auth determines who makes a request and what they may do. The gateway and every HTTP function check each
// request.
package auth

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
)

// Headers with tokens beside Authorization.
const (
	orderTokenHeader  = "Popup-Order-Token"
	basketTokenHeader = "Popup-Basket-Token"
)

// Caller is who makes a request. A visitor has no id and no role.
type Caller struct {
	token.Claims
	OrderToken  string // opens one order
	BasketToken string // opens a visitor's basket
}

// IsStaff reports whether the caller is staff or an administrator.
func (c Caller) IsStaff() bool { return c.Role == token.Staff || c.Role == token.Admin }

// HasNoAccount reports whether the caller is a visitor, a guest or a machine client.
func (c Caller) HasNoAccount() bool {
	return c.Role == "" || c.Role == token.Client || c.Role == token.Guest
}

// HasScope reports whether the caller is a machine client with a scope.
func (c Caller) HasScope(scope string) bool {
	return c.Role == token.Client && slices.Contains(c.Scopes, scope)
}

// Allowed reports whether the caller may use a route.
func (c Caller) Allowed(a access.Access) bool { return a.Allows(c.Claims, c.OrderToken != "") }

// HashToken returns what the database stores of a random secret, such as an order token or a refresh token.
func HashToken(secret string) []byte {
	hash := sha256.Sum256([]byte(secret))
	return hash[:]
}

// Authenticator verifies the tokens of requests.
type Authenticator struct {
	keys    token.Keys
	cookies Cookies
	origins *http.CrossOriginProtection
}

// NewAuthenticator returns an Authenticator. It panics on settings that Check rejects.
func NewAuthenticator(settings config.Access) Authenticator {
	keys, err := settings.Keys()
	if err != nil {
		panic(err)
	}
	a := Authenticator{cookies: Cookies{Secure: settings.Secure()}, origins: http.NewCrossOriginProtection()}
	for _, key := range keys {
		a.keys = append(a.keys, ed25519.PublicKey(key))
	}
	// An address with a path is not an origin; then only requests whose Origin is their Host may use cookies.
	_ = a.origins.AddTrustedOrigin(strings.TrimRight(settings.PublicURL, "/"))
	return a
}

// Authorize returns the caller of a request, and a problem if the caller may not use the route. It deletes a cookie
// whose access token is not valid.
func (a Authenticator) Authorize(
	w http.ResponseWriter, r *http.Request, route access.Access,
) (Caller, *problem.Problem) {
	caller, p := a.authenticate(r, route)
	if p == nil && !caller.Allowed(route) {
		p = refusal(caller)
	}
	if p != nil && p.Status == http.StatusUnauthorized && r.Header.Get("Authorization") == "" {
		a.cookies.deleteAccess(w, r)
	}
	return caller, p
}

// refusal is 401 for a visitor and 403 for others.
func refusal(c Caller) *problem.Problem {
	if c.Role == "" {
		return problem.NotSignedIn()
	}
	return problem.NotAllowed()
}

// authenticate returns the caller by the bearer token or the cookies of a request. A page of another origin may not use
// cookies for requests that change something.
func (a Authenticator) authenticate(r *http.Request, route access.Access) (Caller, *problem.Problem) {
	caller := Caller{OrderToken: r.Header.Get(orderTokenHeader), BasketToken: r.Header.Get(basketTokenHeader)}
	accessToken, ok, p := a.accessToken(r, &caller)
	if p != nil {
		return caller, p
	}
	if !ok || route.Is(access.Credentials) {
		return caller, nil
	}
	claims, err := a.keys.Verify(accessToken)
	if err != nil {
		return caller, problem.NotSignedIn()
	}
	caller.Claims = claims
	return caller, nil
}

// accessToken returns the access token of a request; ok is whether there is one, valid or not. It notes the basket
// token of a cookie in caller, and the token of the order that the path names.
func (a Authenticator) accessToken(r *http.Request, caller *Caller) (accessToken string, ok bool, p *problem.Problem) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, bearer, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			bearer = ""
		}
		return bearer, true, nil
	}
	orderToken := a.cookies.order(r)
	if !a.cookies.any(r) && orderToken == "" {
		return "", false, nil
	}
	if a.origins.Check(r) != nil {
		p = problem.New(http.StatusForbidden, "foreign-page",
			"A page of another site may not do this with the shop's cookies.")
		return "", false, p
	}
	caller.BasketToken = cmp.Or(caller.BasketToken, a.cookies.Basket(r))
	caller.OrderToken = cmp.Or(caller.OrderToken, orderToken)
	accessToken = a.cookies.Access(r)
	return accessToken, accessToken != "", nil
}
