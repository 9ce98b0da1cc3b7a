package web

import (
	"net/http"
	"time"

	"github.com/popup-shop/popup/internal/token"
)

// RefreshLife is how long a refresh token can be used.
const RefreshLife = 24 * time.Hour

// Cookies are how browsers keep tokens: out of the reach of scripts, and on TLS for this host alone (RFC 6265bis, __Host-).
type Cookies struct{ Secure bool }

// Set is the Set-Cookie headers that keep a new pair of tokens.
func (c Cookies) Set(accessToken, refreshToken string) []string {
	return []string{c.make("access", accessToken, int(token.Life.Seconds())), c.make("refresh", refreshToken, int(RefreshLife.Seconds()))}
}

// Basket is that which keeps the token of a visitor's basket as long as the basket lives.
func (c Cookies) Basket(token string, life time.Duration) []string {
	return []string{c.make("basket", token, max(int(life.Seconds()), 1))}
}

// ForgetBasket is that which forgets it.
func (c Cookies) ForgetBasket() []string { return []string{c.make("basket", "", -1)} }

// Clear is those that forget both.
func (c Cookies) Clear() []string {
	return []string{c.make("access", "", -1), c.make("refresh", "", -1)}
}

func (c Cookies) make(kind, value string, maxAge int) string {
	made := http.Cookie{
		Name: c.name(kind), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.Secure,
	}
	return made.String()
}

func (c Cookies) name(kind string) string {
	if c.Secure {
		return "__Host-popup-" + kind
	}
	return "popup-" + kind
}

// Refresh is the refresh token that a browser sends along in the Cookie header, or "".
func (c Cookies) Refresh(header string) string {
	return c.value(&http.Request{Header: http.Header{"Cookie": {header}}}, "refresh")
}

func (c Cookies) access(r *http.Request) string { return c.value(r, "access") }

func (c Cookies) basket(r *http.Request) string { return c.value(r, "basket") }

func (c Cookies) value(r *http.Request, kind string) string {
	kept, err := r.Cookie(c.name(kind))
	if err != nil {
		return ""
	}
	return kept.Value
}

// any says whether a call brings one of our cookies.
func (c Cookies) any(r *http.Request) bool {
	return c.value(r, "access")+c.value(r, "refresh")+c.value(r, "basket") != ""
}

// forgetAccess has the browser forget an access token that opened nothing.
func (c Cookies) forgetAccess(w http.ResponseWriter, r *http.Request) {
	if c.access(r) != "" {
		w.Header().Add("Set-Cookie", c.make("access", "", -1))
	}
}
