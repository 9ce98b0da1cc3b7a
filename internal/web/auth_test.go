package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// whoami answers who calls.
type whoami struct {
	Body struct {
		Role   string `json:"role"`
		Source string `json:"source"`
	}
}

func tell(ctx context.Context) *whoami {
	a := &whoami{}
	a.Body.Role, a.Body.Source = auth.CallerFrom(ctx).Role, auth.SourceFrom(ctx)
	return a
}

// mirror is a function whose responses name the caller.
func mirror(t *testing.T, settings config.Access, known ...token.Claims) string {
	t.Helper()
	get := func(ctx context.Context, _ web.Reader, _ *struct{}) (*whoami, error) { return tell(ctx), nil }
	act := func(ctx context.Context, _ pgx.Tx, _ *struct{}) (*whoami, []events.Event, error) {
		return tell(ctx), nil, nil
	}
	door := web.Endpoints("serve-mirror", settings,
		web.Get("/all", access.All, get), web.Post("/all", access.All, http.StatusOK, act), web.Get("/own", access.Customer, get),
		web.Get("/token", access.Any(access.Customer, access.OrderToken), get), web.Get("/login", access.Credentials, get))
	pool := dbtest.DB(t)
	grantRole(t, pool, "serve-mirror")
	for _, c := range known {
		require.NoError(t, shoptest.AddAccount(t.Context(), pool, c))
	}
	rt := &function.Runtime{Pool: pool, Log: slog.New(slog.DiscardHandler)}
	server := httptest.NewServer(rt.ServeMux(&function.Function{Name: "serve-mirror", Endpoints: door}))
	t.Cleanup(server.Close)
	return server.URL
}

func overTLS(t *testing.T) config.Access {
	s := settings(t)
	s.PublicURL = "https://shop.test"
	return s
}

// ACC-14.
func TestACookieIsAsGoodAsABearer(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]config.Access{"popup-access": settings(t), "__Host-popup-access": overTLS(t)} {
		url := mirror(t, settings)
		r := call(t, "GET", url+"/own", "", "Cookie", name+"="+strings.TrimPrefix(bearer(t, token.Customer), "Bearer "))
		require.Equal(t, http.StatusOK, r.status, r.body)
		require.Contains(t, r.body, `"role":"customer"`)
	}
}

func TestOverTLSOnlyACookieOfThisHostCounts(t *testing.T) {
	t.Parallel()
	url := mirror(t, overTLS(t))
	r := call(t, "GET", url+"/own", "", "Cookie", "popup-access="+strings.TrimPrefix(bearer(t, token.Customer), "Bearer "))
	require.Equal(t, http.StatusUnauthorized, r.status)
}

func TestACookieThatOpensNothingIsRefusedAndForgotten(t *testing.T) {
	t.Parallel()
	url := mirror(t, settings(t))
	r := call(t, "GET", url+"/all", "", "Cookie", "popup-access=old")
	require.Equal(t, http.StatusUnauthorized, r.status)
	require.Equal(t, "popup-access=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", r.header.Get("Set-Cookie"))
	require.Empty(t, call(t, "GET", url+"/all", "", "Authorization", "Bearer old").header.Get("Set-Cookie"))
}

// ACC-16.
func TestAPageOfAnotherSiteChangesNothingWithOurCookies(t *testing.T) {
	t.Parallel()
	ada := token.Claims{ID: uuid.NewString(), Role: token.Customer, Session: uuid.NewString(), Email: "ada@example.test"}
	url := mirror(t, settings(t), ada)
	bearer := shoptest.Bearer(t, ada)
	cookie := "popup-access=" + strings.TrimPrefix(bearer, "Bearer ")
	for name, c := range map[string]struct {
		method  string
		headers []string
		status  int
	}{
		"cross-site":                         {"POST", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 403},
		"another host of the site":           {"POST", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-site"}, 403},
		"an origin of elsewhere":             {"POST", []string{"Cookie", cookie, "Origin", "https://evil.test"}, 403},
		"no origin at all":                   {"POST", []string{"Cookie", cookie, "Origin", "null"}, 403},
		"with the refresh cookie alone":      {"POST", []string{"Cookie", "popup-refresh=x", "Sec-Fetch-Site", "cross-site"}, 403},
		"our own page":                       {"POST", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 200},
		"our own page behind another host":   {"POST", []string{"Cookie", cookie, "Origin", "http://shop.test"}, 200},
		"a program":                          {"POST", []string{"Cookie", cookie}, 200},
		"cross-site, only reading":           {"GET", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 200},
		"cross-site, with a bearer":          {"POST", []string{"Authorization", bearer, "Sec-Fetch-Site", "cross-site"}, 200},
		"cross-site, without any cookie":     {"POST", []string{"Sec-Fetch-Site", "cross-site"}, 200},
		"cross-site, a cookie of no concern": {"POST", []string{"Cookie", "theme=dark", "Sec-Fetch-Site", "cross-site"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := call(t, c.method, url+"/all", "", c.headers...)
			require.Equal(t, c.status, r.status, r.body)
			if c.status == http.StatusForbidden {
				require.Equal(t, "/problems/foreign-page", readProblem(t, r).Type)
			}
		})
	}
}

func TestAnOrderTokenIsAWayInWhereItIsDeclared(t *testing.T) {
	t.Parallel()
	url := mirror(t, settings(t))
	require.Equal(t, http.StatusOK, call(t, "GET", url+"/token", "", "Popup-Order-Token", "x").status)
	require.Equal(t, http.StatusUnauthorized, call(t, "GET", url+"/own", "", "Popup-Order-Token", "x").status)
}

func TestWhereCredentialsAreInTheBodyATokenIsNotLookedAt(t *testing.T) {
	t.Parallel()
	url := mirror(t, settings(t))
	for _, header := range []string{"Bearer old", bearer(t, token.Staff)} {
		r := call(t, "GET", url+"/login", "", "Authorization", header)
		require.Equal(t, http.StatusOK, r.status)
		require.Contains(t, r.body, `"role":""`)
	}
}

func TestTheSourceIsTheAddressThatTheGatewayNames(t *testing.T) {
	t.Parallel()
	url := mirror(t, settings(t))
	require.Contains(t, call(t, "GET", url+"/all", "", "X-Forwarded-For", "198.51.100.7, 203.0.113.9").body, `"198.51.100.7"`, "what the gateway names, before what proxies behind it add")
	for _, none := range []string{"", "somebody", "<script>, 203.0.113.9"} {
		require.Contains(t, call(t, "GET", url+"/all", "", "X-Forwarded-For", none).body, `"127.0.0.1"`)
	}
}

func TestARouteWithoutAccessRulesCannotBeWired(t *testing.T) {
	t.Parallel()
	route := web.Get("/x", access.Access{}, func(context.Context, web.Reader, *struct{}) (*whoami, error) { return nil, nil })
	require.Panics(t, func() { web.Endpoints("x", settings(t), route) })
}

func TestAKeyThatIsNoneCannotBeWired(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { web.Endpoints("x", config.Access{TokenPublicKeys: []string{"short"}}) })
}
