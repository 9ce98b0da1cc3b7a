package simulator

import (
	_ "embed"
	"html/template"
	"net/http"
	"slices"

	"github.com/popup-shop/popup/internal/money"
)

//go:embed page.html
var pageText string

//go:embed style.css
var style string

var pages = template.Must(template.New("page").Parse(pageText))

// shown is a payment on a page.
type shown struct {
	Payment
	Text string // the amount
	Acts []string
}

func show(p Payment) shown {
	s := shown{Payment: p, Text: money.Amount{Minor: p.Amount, Currency: p.Currency}.Format("en")}
	for _, act := range Acts {
		if try := p; try.act(act) {
			s.Acts = append(s.Acts, act)
		}
	}
	return s
}

// policy lets the pages load their style and nothing else.
const policy = "default-src 'none'; style-src 'self'; form-action *; frame-ancestors 'none'; base-uri 'none'"

// Pages serves the pages on which people play customers, under the path of Public, and the calls for programs under
// /v1/simulator/.
func (s *Simulator) Pages(path string) http.Handler {
	p := people{s, path}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path+"/{$}", p.list)
	mux.HandleFunc("GET "+path, p.list)
	mux.HandleFunc("GET "+path+"/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write([]byte(style))
	})
	mux.HandleFunc("GET "+path+"/{provider}/{ref}", p.one)
	mux.HandleFunc("POST "+path+"/{provider}/{ref}/{act}", p.press)
	mux.HandleFunc("POST /v1/simulator/{provider}/{ref}/{act}", p.call)
	return http.NewCrossOriginProtection().Handler(mux)
}

// people are those who play customers.
type people struct {
	*Simulator
	path string
}

func render(w http.ResponseWriter, path, title string, payments []shown) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	_ = pages.Execute(w, map[string]any{"Path": path, "Title": title, "Payments": payments})
}

// maxShown is how many payments the list shows.
const maxShown = 50

func (s people) list(w http.ResponseWriter, _ *http.Request) {
	all := s.Payments()
	slices.Reverse(all)
	var list []shown
	for _, p := range all[:min(len(all), maxShown)] {
		list = append(list, show(p))
	}
	render(w, s.path, "Payment simulator", list)
}

func (s people) find(r *http.Request) (Payment, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.books.payments[key(r.PathValue("provider"), r.PathValue("ref"))]
	if !ok {
		return Payment{}, false
	}
	return *p, true
}

func (s people) one(w http.ResponseWriter, r *http.Request) {
	p, ok := s.find(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	render(w, s.path, p.Title, []shown{show(p)})
}

// press does what a person chose, and leads back to the shop once the payment is over.
func (s people) press(w http.ResponseWriter, r *http.Request) {
	p, err := s.Act(r.PathValue("provider"), r.PathValue("ref"), r.PathValue("act"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	to := s.path + "/" + p.Provider + "/" + p.Ref
	if p.Status == "paid" && p.Return != "" {
		to = p.Return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s people) call(w http.ResponseWriter, r *http.Request) {
	p, err := s.Act(r.PathValue("provider"), r.PathValue("ref"), r.PathValue("act"))
	if err != nil {
		answer(w, http.StatusNotFound, map[string]string{"error": err.Error()})
		return
	}
	answer(w, http.StatusOK, p)
}
