package page

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/popup-shop/popup/functions/serve-web/text"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// aYear is how long a browser keeps what a visitor prefers.
const aYear = 365 * 24 * time.Hour

// cookie returns a cookie of the pages, or "".
func (r *Request) cookie(name string) string {
	cookie, err := r.Cookie("popup-" + name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// SetCookie sets a cookie of the pages, which scripts can't read. An empty value deletes it.
func (r *Request) SetCookie(name, value, path string, life time.Duration) {
	cookie := http.Cookie{
		Name: "popup-" + name, Value: value, Path: path, MaxAge: int(life.Seconds()), HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: r.site.Cookies.Secure,
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	r.setCookies(cookie.String())
}

// ReadCookie returns a cookie of the pages, or "".
func (r *Request) ReadCookie(name string) string { return r.cookie(name) }

// preferences are the forms in the frame of every page.
func (s *Site) preferences() []Route {
	return []Route{
		{Pattern: "POST /language", Serve: func(r *Request) error { return r.prefer("language", text.Languages()) }},
		{Pattern: "POST /theme", Serve: func(r *Request) error { return r.prefer("theme", []string{"light", "dark", "system"}) }},
	}
}

// prefer keeps what a visitor chose in a cookie, and returns to their page.
func (r *Request) prefer(name string, choices []string) error {
	for _, choice := range choices {
		if r.FormValue(name) == choice {
			r.SetCookie(name, choice, "/", aYear)
		}
	}
	return r.SeeOther(LocalPath(r.FormValue("next")))
}

// LocalPath returns a path of this shop, and "/" for an address that leads elsewhere.
func LocalPath(text string) string {
	at, err := url.Parse(text)
	if err != nil || at.Host != "" || at.Scheme != "" || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") ||
		strings.Contains(text, `\`) {
		return "/"
	}
	return text
}

// notice is a message that the next page shows, by the key of its text.
type notice struct {
	Kind      string   `json:"k"`
	Key       string   `json:"t"`
	Arguments []string `json:"a,omitempty"`
}

const noticeLife = time.Minute

// Notify has the next page show a message. Its kind is "good" or "bad".
func (r *Request) Notify(kind, key string, arguments ...string) {
	content, _ := json.Marshal(notice{kind, key, arguments}) // texts can always be written
	r.SetCookie("notice", base64.RawURLEncoding.EncodeToString(content), "/", noticeLife)
}

// takeNotices returns the message that the page before left, and deletes it.
func (r *Request) takeNotices(language string) []ui.Notice {
	value := r.cookie("notice")
	if value == "" || r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, "/static/") {
		return nil
	}
	r.SetCookie("notice", "", "/", 0)
	var n notice
	content, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || json.Unmarshal(content, &n) != nil || !text.Has(n.Key) {
		return nil
	}
	arguments := make([]any, len(n.Arguments))
	for i, a := range n.Arguments {
		arguments[i] = a
	}
	return []ui.Notice{{Kind: n.Kind, Text: text.Get(language, n.Key, arguments...)}}
}
