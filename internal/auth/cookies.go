package auth

import (
	"net/http"
	"strings"
	"time"

	"github.com/popup-shop/popup/internal/token"
)

// RefreshLife is how long a refresh token is valid.
const RefreshLife = 24 * time.Hour

// Cookies writes and reads the cookies in which browsers keep tokens. Scripts can't read them; over TLS only this host
// receives them (RFC 6265bis, __Host-).
type Cookies struct{ Secure bool }

// Set returns the Set-Cookie headers that store a new pair of tokens.
func (c Cookies) Set(accessToken, refreshToken string) []string {
	return []string{
		c.header("access", accessToken, int(token.Life.Seconds())),
		c.header("refresh", refreshToken, int(RefreshLife.Seconds())),
	}
}

// SetBasket returns the Set-Cookie headers that store the token of a visitor's basket as long as the basket lives.
func (c Cookies) SetBasket(token string, life time.Duration) []string {
	return []string{c.header("basket", token, max(int(life.Seconds()), 1))}
}

// DeleteBasket returns the Set-Cookie headers that delete the token of a basket.
func (c Cookies) DeleteBasket() []string { return []string{c.header("basket", "", -1)} }

// Delete returns the Set-Cookie headers that delete a pair of tokens.
func (c Cookies) Delete() []string {
	return []string{c.header("access", "", -1), c.header("refresh", "", -1)}
}

// OrderLife is how long a browser keeps the token of a guest's order.
const OrderLife = 7 * 24 * time.Hour

// SetOrder returns the Set-Cookie headers that store the token of a guest's order, for requests that name it by its id and for those that
// name it by its number.
func (c Cookies) SetOrder(token, orderID, number string) (headers []string) {
	for _, name := range []string{orderID, number} {
		headers = append(headers, c.header(orderCookie(name), token, int(OrderLife.Seconds())))
	}
	return headers
}

// orderCookie returns the kind of the cookie for an order by its id or number, in any case.
func orderCookie(name string) string { return "order-" + strings.ToLower(name) }

// Order returns the token of an order in a request, by the order's id or number, or "".
func (c Cookies) Order(r *http.Request, name string) string { return c.value(r, orderCookie(name)) }

// order returns the token of the order that the path of a request names.
func (c Cookies) order(r *http.Request) string {
	name := r.PathValue("id")
	if name == "" {
		return ""
	}
	return c.value(r, orderCookie(name))
}

func (c Cookies) header(kind, value string, maxAge int) string {
	cookie := http.Cookie{
		Name: c.name(kind), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.Secure,
	}
	return cookie.String()
}

func (c Cookies) name(kind string) string {
	if c.Secure {
		return "__Host-popup-" + kind
	}
	return "popup-" + kind
}

// Refresh returns the refresh token in a Cookie header, or "".
func (c Cookies) Refresh(header string) string {
	return c.value(&http.Request{Header: http.Header{"Cookie": {header}}}, "refresh")
}

// Access returns the access token of a request, or "".
func (c Cookies) Access(r *http.Request) string { return c.value(r, "access") }

// Basket returns the token of a visitor's basket in a request, or "".
func (c Cookies) Basket(r *http.Request) string { return c.value(r, "basket") }

func (c Cookies) value(r *http.Request, kind string) string {
	cookie, err := r.Cookie(c.name(kind))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// any reports whether a request has one of the shop's cookies.
func (c Cookies) any(r *http.Request) bool {
	return c.Access(r) != "" || c.Basket(r) != "" || c.value(r, "refresh") != ""
}

// deleteAccess deletes the cookie with an access token that is not valid.
func (c Cookies) deleteAccess(w http.ResponseWriter, r *http.Request) {
	if c.Access(r) != "" {
		w.Header().Add("Set-Cookie", c.header("access", "", -1))
	}
}
