package page

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/token"
)

// session is what a visitor's cookies give access to.
type session struct {
	access, basket string
	claims         token.Claims
}

// resume returns the visitor's session. An access token that has ended is replaced by means of the refresh token.
func (s *Site) resume(r *Request) session {
	now := session{access: s.Cookies.Access(r.Request), basket: s.Cookies.Basket(r.Request)}
	claims, err := s.Keys.Verify(now.access)
	if err == nil {
		now.claims = claims
		return now
	}
	now.access = ""
	refresh := s.Cookies.Refresh(strings.Join(r.Request.Header.Values("Cookie"), "; "))
	if refresh == "" {
		return now
	}
	tokens, err := s.client(r, "en").Refresh(r.Context(), client.RefreshRequest{RefreshToken: refresh})
	if err != nil {
		return now
	}
	now.access = tokens.AccessToken
	now.claims, _ = s.Keys.Verify(now.access)
	return now
}

// SignIn has the visitor go on with an access token, and with a refresh token if there is one.
func (r *Request) SignIn(accessToken, refreshToken string) {
	cookies := r.site.Cookies.Set(accessToken, refreshToken)
	if refreshToken == "" { // that of a guest
		cookies = cookies[:1]
	}
	r.setCookies(cookies...)
	r.session.access = accessToken
	r.session.claims, _ = r.site.Keys.Verify(accessToken)
}

// SignOut deletes the visitor's tokens from their browser.
func (r *Request) SignOut() {
	r.setCookies(r.site.Cookies.Delete()...)
	r.session.access, r.session.claims = "", token.Claims{}
}

// ForAccounts returns a handler for visitors with an account. Others sign in first and come back.
func ForAccounts(handle Handler) Handler {
	return func(r *Request) error {
		if !r.View.SignedIn() {
			return problemOf(http.StatusUnauthorized, "not-signed-in")
		}
		return handle(r)
	}
}

// ForStaff returns a handler for staff. Customers are refused; visitors sign in first and come back.
func ForStaff(handle Handler) Handler {
	return ForAccounts(func(r *Request) error {
		if !r.View.IsStaff() {
			return problemOf(http.StatusForbidden, "not-allowed")
		}
		return handle(r)
	})
}

// visitor makes calls of the API for one visitor: with their tokens, and with what the gateway knows them by. Cookies
// that the API sets are set in the visitor's browser.
type visitor struct {
	to http.RoundTripper
	r  *Request
}

// PassHeader carries what the gateway knows a visitor by from a page's request to the calls that are made for it.
const PassHeader = "Popup-Pass"

// RoundTrip implements [http.RoundTripper].
func (v visitor) RoundTrip(call *http.Request) (*http.Response, error) {
	call = call.Clone(call.Context())
	for _, name := range []string{PassHeader, "X-Request-Id", "Traceparent", "User-Agent"} {
		if value := v.r.Request.Header.Get(name); value != "" {
			call.Header.Set(name, value)
		}
	}
	access, basket := v.r.tokens()
	if access != "" {
		call.Header.Set("Authorization", "Bearer "+access)
	}
	if basket != "" {
		call.Header.Set("Popup-Basket-Token", basket)
	}
	response, err := v.to.RoundTrip(call)
	if err != nil {
		return nil, err
	}
	v.r.setCookies(response.Header.Values("Set-Cookie")...)
	v.r.keepBasket(v.r.site.Cookies.Basket(&http.Request{Header: asCookies(response)}))
	return response, nil
}

// tokens returns the visitor's access token and the token of their basket. A page may make several calls at a time.
func (r *Request) tokens() (access, basket string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.session.access, r.session.basket
}

// keepBasket has the calls that follow use a basket that the API has just made.
func (r *Request) keepBasket(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if token != "" {
		r.session.basket = token
	}
}

// asCookies returns the cookies that a response sets as a browser sends them back.
func asCookies(response *http.Response) http.Header {
	header := http.Header{}
	for _, cookie := range response.Cookies() {
		header.Add("Cookie", cookie.Name+"="+cookie.Value)
	}
	return header
}

// setCookies adds cookies to the response, each once.
func (r *Request) setCookies(cookies ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, cookie := range cookies {
		if !slices.Contains(r.w.Header().Values("Set-Cookie"), cookie) {
			r.w.Header().Add("Set-Cookie", cookie)
		}
	}
}

// kindOf returns the kind of an error that the API returned, or "".
func kindOf(err error) string {
	var p *client.Problem
	if errors.As(err, &p) {
		return p.Kind()
	}
	if errors.Is(err, context.Canceled) {
		return "canceled"
	}
	return ""
}

// Is reports whether an error is a problem of one of the kinds, such as "out-of-stock".
func Is(err error, kinds ...string) bool { return slices.Contains(kinds, kindOf(err)) }

// ShortLines returns what there is not enough of, where an error of the API names it.
func ShortLines(err error) []client.Short {
	var p *client.Problem
	if errors.As(err, &p) {
		return p.Lines
	}
	return nil
}

// ForOrder returns a client that has access to an order by its number, if the visitor's browser has its token.
func (r *Request) ForOrder(number string) *client.Client {
	token := r.site.Cookies.Order(r.Request, number)
	if token == "" {
		return r.API
	}
	return r.API.With(client.OrderToken(token))
}

// HasOrder reports whether the visitor's browser has the token of a guest's order.
func (r *Request) HasOrder(number string) bool { return r.site.Cookies.Order(r.Request, number) != "" }

// ClaimOrder moves a guest's order whose token the browser has to the visitor's account.
func (r *Request) ClaimOrder(number string) error {
	found, err := r.ForOrder(number).GetOrder(r.Context(), number)
	if err != nil {
		return err
	}
	token := r.site.Cookies.Order(r.Request, number)
	if token == "" {
		return NotFound()
	}
	_, err = r.API.ClaimOrder(r.Context(), found.ID, client.ClaimOrderRequest{OrderToken: token})
	return err
}

// KeepOrder gives the visitor's browser access to an order of a guest.
func (r *Request) KeepOrder(token, orderID, number string) {
	if token != "" {
		r.setCookies(r.site.Cookies.SetOrder(token, orderID, number)...)
	}
}
