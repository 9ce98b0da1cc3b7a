package mailbox

import (
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

const (
	pageLimit = 200   // mails listed on the page
	jsonLimit = 1_000 // mails in one JSON answer unless ?limit= asks for another number
)

// A mail's HTML is a stranger: it is shown in a frame of no origin, without scripts, forms and anything from
// elsewhere. Its links open beside it.
const (
	pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; " +
		"frame-ancestors 'none'"
	htmlPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; " +
		"style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)

//go:embed page.html style.css
var files embed.FS

var page = template.Must(template.New("page.html").Funcs(template.FuncMap{"pieces": pieces}).ParseFS(files, "page.html"))

// Handler serves the mails to people and programs: GET /mailbox, /mailbox/{id} and /mailbox.json, the first two as
// JSON, too, when that is what the request accepts. ?to= and ?subject= keep the mails that contain them, whatever
// their case; ?limit= bounds the JSON.
func (b *Store) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /mailbox", b.list)
	mux.HandleFunc("GET /mailbox.json", b.listJSON)
	mux.HandleFunc("GET /mailbox/{id}", b.show)
	mux.HandleFunc("GET /mailbox/{id}/html", b.showHTML)
	mux.HandleFunc("GET /mailbox/style.css", style)
	return mux
}

// list is called by people who look for a mail.
func (b *Store) list(w http.ResponseWriter, r *http.Request) {
	if wantsJSON(r) {
		b.listJSON(w, r)
		return
	}
	render(b, w, r, nil)
}

// listJSON is called by tests and scripts.
func (b *Store) listJSON(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.FormValue("limit"))
	if err != nil || limit < 0 {
		limit = jsonLimit
	}
	mails := []Mail{}
	for _, s := range b.newest(filter(r), limit) {
		m, err := b.read(s.ID)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the folder was emptied meanwhile
		}
		if err != nil {
			http.Error(w, "cannot read the mail", http.StatusInternalServerError)
			return
		}
		mails = append(mails, m)
	}
	writeJSON(w, mails)
}

// show is called by people who read a mail.
func (b *Store) show(w http.ResponseWriter, r *http.Request) {
	m, ok := b.find(w, r)
	switch {
	case !ok:
	case wantsJSON(r):
		writeJSON(w, m)
	default:
		render(b, w, r, &m)
	}
}

// showHTML is called by the frame of the page.
func (b *Store) showHTML(w http.ResponseWriter, r *http.Request) {
	m, ok := b.find(w, r)
	if !ok {
		return
	}
	protect(w, "text/html; charset=utf-8", htmlPolicy)
	_, _ = w.Write([]byte(`<base target="_blank">` + m.HTML)) // the reader has gone when it fails
}

// find reads the mail of the path, or answers that there is none.
func (b *Store) find(w http.ResponseWriter, r *http.Request) (Mail, bool) {
	m, err := b.read(r.PathValue("id"))
	if errors.Is(err, fs.ErrNotExist) {
		http.Error(w, "there is no such mail", http.StatusNotFound)
	} else if err != nil {
		http.Error(w, "cannot read the mail", http.StatusInternalServerError)
	}
	return m, err == nil
}

// view is what the page shows.
type view struct {
	Mails       []summary
	Mail        *Mail
	To, Subject string
	Query       template.URL // the filter, for links
	AsText      bool
}

func render(b *Store, w http.ResponseWriter, r *http.Request, m *Mail) {
	v := view{Mails: b.newest(filter(r), pageLimit), Mail: m, To: r.FormValue("to"), Subject: r.FormValue("subject")}
	query := r.URL.Query()
	query.Del("as")
	v.Query = template.URL(query.Encode()) // encoded: it cannot leave the query
	v.AsText = m != nil && (m.HTML == "" || r.FormValue("as") == "text")
	var body strings.Builder
	if err := page.Execute(&body, v); err != nil {
		http.Error(w, "cannot show the page", http.StatusInternalServerError)
		return
	}
	protect(w, "text/html; charset=utf-8", pagePolicy)
	_, _ = w.Write([]byte(body.String())) // the reader has gone when it fails
}

func style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "style.css")
}

// filter returns what ?to= and ?subject= ask for.
func filter(r *http.Request) func(summary) bool {
	to, subject := strings.ToLower(r.FormValue("to")), strings.ToLower(r.FormValue("subject"))
	return func(s summary) bool {
		return strings.Contains(strings.ToLower(strings.Join(s.To, " ")), to) &&
			strings.Contains(strings.ToLower(s.Subject), subject)
	}
}

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

func writeJSON(w http.ResponseWriter, value any) {
	protect(w, "application/json", "default-src 'none'")
	_ = json.NewEncoder(w).Encode(value) // the reader has gone when it fails
}

func protect(w http.ResponseWriter, kind, policy string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// piece is a stretch of text, or a link in it.
type piece struct {
	Text string
	Link bool
}

var link = regexp.MustCompile(`https?://[^\s<>"']*[^\s<>"'.,;:!?)\]]`)

// pieces splits a text at its links, so that people can follow them.
func pieces(text string) []piece {
	var all []piece
	last := 0
	for _, at := range link.FindAllStringIndex(text, -1) {
		all = append(all, piece{Text: text[last:at[0]]}, piece{Text: text[at[0]:at[1]], Link: true})
		last = at[1]
	}
	return append(all, piece{Text: text[last:]})
}
