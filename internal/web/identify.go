package web

import (
	"cmp"
	"crypto/ed25519"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/token"
)

// Authenticator finds out who calls. The gateway and every function have one.
type Authenticator struct {
	keys    token.Keys
	cookies Cookies
	pages   *http.CrossOriginProtection
}

// NewAuthenticator panics on keys that are none: whoever reads settings checks them.
func NewAuthenticator(access config.Access) Authenticator {
	keys, err := access.Keys()
	if err != nil {
		panic(err)
	}
	d := Authenticator{cookies: Cookies{Secure: access.Secure()}, pages: http.NewCrossOriginProtection()}
	for _, key := range keys {
		d.keys = append(d.keys, ed25519.PublicKey(key))
	}
	_ = d.pages.AddTrustedOrigin(strings.TrimRight(access.PublicURL, "/")) // an address with a path is no origin: then only the Host counts
	return d
}

// identify finds out who calls, and refuses a route to everybody whom it is not for.
func (d Authenticator) identify(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		who, _ := ctx.Operation().Metadata["who"].(string)
		form := MediaType(r.Header)
		r.Header.Del("Accept")
		if isList(ctx.Operation()) { // nothing else has another form than JSON
			r.Header.Set("Accept", form)
		}
		caller, problem := d.Authorize(w, r, who)
		if problem != nil {
			refuse(api, ctx, problem)
			return
		}
		c := call{Caller: caller, who: who, route: r.Method + " " + ctx.Operation().Path, requestID: r.Header.Get("X-Request-ID"), header: r.Header.Get, path: r.URL.Path, source: source(r), answer: ctx}
		ctx = huma.WithValue(ctx, callKey{}, c)
		next(huma.WithContext(ctx, cloudevent.WithTrace(ctx.Context(), r.Header.Get("Traceparent"))))
	}
}

// Authorize finds out who calls, and refuses whoever may not take a route. A cookie that is of no use any more is taken back.
func (d Authenticator) Authorize(w http.ResponseWriter, r *http.Request, who string) (Caller, *Problem) {
	caller, problem := d.authenticate(r, who)
	if problem == nil && !admits(who, caller) {
		problem = refusalOf(caller)
	}
	if problem != nil && problem.Status == http.StatusUnauthorized && r.Header.Get("Authorization") == "" {
		d.cookies.forgetAccess(w, r)
	}
	return caller, problem
}

// authenticate is who shows a token, as bearer or in a cookie. A page of somebody else's may not use our cookies to change things.
func (d Authenticator) authenticate(r *http.Request, who string) (Caller, *Problem) {
	visitor := Caller{OrderToken: r.Header.Get("Popup-Order-Token"), BasketToken: r.Header.Get("Popup-Basket-Token")}
	shown, byCookie := r.Header.Get("Authorization"), false
	if shown == "" && d.cookies.any(r) {
		if d.pages.Check(r) != nil {
			return visitor, New(http.StatusForbidden, "foreign-page", "a page of another site may not do this with our cookies")
		}
		shown, byCookie = d.cookies.access(r), true
		visitor.BasketToken = cmp.Or(visitor.BasketToken, d.cookies.basket(r))
	}
	if shown == "" || who == Credentials {
		return visitor, nil
	}
	if !byCookie {
		scheme, bearer, _ := strings.Cut(shown, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return visitor, NotSignedIn()
		}
		shown = bearer
	}
	claims, err := d.keys.Verify(shown)
	if err != nil {
		return visitor, NotSignedIn()
	}
	visitor.Claims = claims
	return visitor, nil
}

// source is the address that the gateway names, or that of the connection. The gateway names one; proxies between it and a
// function add theirs behind it.
func source(r *http.Request) string {
	named, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	if first, err := netip.ParseAddr(strings.TrimSpace(named)); err == nil {
		return first.String()
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func refuse(api huma.API, ctx huma.Context, p *Problem) {
	p.For(ctx.Header)
	for name, values := range p.GetHeaders() {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = api.Marshal(ctx.BodyWriter(), "application/json", p)
}
