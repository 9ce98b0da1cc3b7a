package simulator

import (
	"bytes"
	"crypto/subtle"
	"io"
	"net/http"
	"strings"
	"time"
)

// api serves the providers' APIs to the shop.
func (s *Simulator) api() http.Handler {
	mux := http.NewServeMux()
	cards{s}.routes(mux)
	wallets{s}.routes(mux)
	slips{s}.routes(mux)
	return s.guarded(mux)
}

// maxRequest is the most bytes of a request.
const maxRequest = 1 << 16

// guarded admits calls with the key, and lets go wrong what shall.
func (s *Simulator) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		given := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(given), []byte(s.Key)) != 1 {
			answer(w, http.StatusUnauthorized, map[string]any{"error": map[string]string{"type": "invalid_request_error", "code": "api_key"}})
			return
		}
		fault := None
		if s.Fault != nil {
			fault = s.Fault(r)
		}
		s.serve(w, r, next, fault)
	})
}

// hugeBytes is the size of a response beyond the client's limit.
const hugeBytes = 10 << 20

func (*Simulator) serve(w http.ResponseWriter, r *http.Request, next http.Handler, fault Fault) {
	switch fault {
	case None:
		next.ServeHTTP(w, r)
	case Down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case Redirect:
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
	case Wrapped:
		answer(w, http.StatusOK, map[string]any{"error": map[string]string{"type": "api_error"}})
	case Lost:
		next.ServeHTTP(discard{}, r)
		panic(http.ErrAbortHandler)
	case Garbage:
		next.ServeHTTP(discard{}, r)
		_, _ = io.WriteString(w, "<html>It works!</html>")
	case Huge:
		next.ServeHTTP(discard{}, r)
		_, _ = w.Write(bytes.Repeat([]byte(" "), hugeBytes))
	}
}

// discard drops a response.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body))
}

// with returns the handler of calls about a payment of a provider. It runs while the books are locked.
func (s *Simulator) with(provider string, handle func(w http.ResponseWriter, r *http.Request, p *Payment)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		p, ok := s.books.payments[key(provider, r.PathValue("ref"))]
		if !ok {
			answer(w, http.StatusNotFound, map[string]any{"error": "not found", "code": 2005})
			return
		}
		handle(w, r, p)
	}
}

// save writes a payment; a simulator that cannot write does not answer.
func (s *Simulator) save(p *Payment) {
	if err := s.books.write(p); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// enter puts a payment into the books, or returns the one that was made with the same key. same reports whether that one
// is for the same amount and order.
func (s *Simulator) enter(p Payment) (found *Payment, same bool) {
	for _, each := range s.books.payments {
		if each.Provider == p.Provider && each.Key == p.Key {
			return each, each.Amount == p.Amount && each.Currency == p.Currency && each.OrderID == p.OrderID
		}
	}
	p.Status, p.At = "open", time.Now().UTC()
	s.save(&p)
	return &p, true
}

// page is the address at which a customer pays.
func (s *Simulator) page(p Payment) string { return s.Public + "/" + p.Provider + "/" + p.Ref }
