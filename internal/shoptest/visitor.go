package shoptest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/popup-shop/popup/internal/function"
)

// Visitor is a browser without scripts: it keeps cookies and follows redirects.
type Visitor struct {
	Header http.Header // of all requests
	site   string
	client *http.Client
}

// Page is what a visitor sees.
type Page struct {
	Status int
	Path   string // after redirects, with the query
	Header http.Header
	HTML   string
	Text   string // the words of the main part, between blanks
}

// Visitor opens the shop to a browser, through a gateway.
func (s *Shop) Visitor(t testing.TB, within func(reach func(name string) http.Handler) function.Function) *Visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &Visitor{Header: http.Header{}, site: s.Serve(t, within), client: &http.Client{Jar: jar}}
}

// As has the visitor be signed in as a person.
func (v *Visitor) As(t testing.TB, p Person) *Visitor {
	t.Helper()
	at, err := url.Parse(v.site)
	require.NoError(t, err)
	v.client.Jar.SetCookies(at, []*http.Cookie{{Name: "popup-access", Value: strings.TrimPrefix(p.Bearer, "Bearer "), Path: "/"}})
	return v
}

// Get opens a page.
func (v *Visitor) Get(t testing.TB, path string) Page {
	t.Helper()
	return v.request(t, http.MethodGet, path, nil)
}

// Post submits a form: names and values, in turn.
func (v *Visitor) Post(t testing.TB, path string, pairs ...string) Page {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return v.request(t, http.MethodPost, path, form)
}

func (v *Visitor) request(t testing.TB, method, path string, form url.Values) Page {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, v.site+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Accept", "text/html,application/xhtml+xml")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, values := range v.Header {
		r.Header[name] = values
	}
	response, err := v.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return Page{response.StatusCode, response.Request.URL.RequestURI(), response.Header, string(body), mainText(string(body))}
}

// mainText returns the words of the main part of a page.
func mainText(page string) string {
	var words []string
	within := false
	for tokens := html.NewTokenizer(strings.NewReader(page)); tokens.Next() != html.ErrorToken; {
		token := tokens.Token()
		switch {
		case token.Data == "main":
			within = token.Type == html.StartTagToken
		case within && token.Type == html.TextToken:
			words = append(words, strings.Fields(token.Data)...)
		}
	}
	return strings.Join(words, " ")
}
