package simulator

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popup-shop/popup/internal/money"
)

// api serves the providers' APIs to the shop.
func (s *Simulator) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /card/v1/checkout/sessions", s.openSession)
	mux.HandleFunc("GET /card/v1/checkout/sessions/{ref}", s.with("card", s.showSession))
	mux.HandleFunc("POST /card/v1/checkout/sessions/{ref}/expire", s.with("card", s.expireSession))
	mux.HandleFunc("POST /card/v1/refunds", s.refundCard)
	mux.HandleFunc("POST /taler/private/orders", s.openTaler)
	mux.HandleFunc("GET /taler/private/orders/{ref}", s.with("taler", s.showTaler))
	mux.HandleFunc("DELETE /taler/private/orders/{ref}", s.with("taler", s.deleteTaler))
	mux.HandleFunc("POST /taler/private/orders/{ref}/refund", s.with("taler", s.refundTaler))
	mux.HandleFunc("POST /konbini/slips", s.openSlip)
	mux.HandleFunc("GET /konbini/slips/{ref}", s.with("konbini", showSlip))
	mux.HandleFunc("POST /konbini/slips/{ref}/void", s.with("konbini", s.voidSlip))
	mux.HandleFunc("POST /konbini/slips/{ref}/refunds", s.with("konbini", s.refundSlip))
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

// hugeBytes is the size of an answer that nobody should read.
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

// discard is an answer that nobody gets.
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

// open puts a payment into the books, or returns the one that was made with the same key. same reports whether that one
// is for the same amount and order.
func (s *Simulator) open(p Payment) (found *Payment, same bool) {
	for _, each := range s.books.payments {
		if each.Provider == p.Provider && each.Key == p.Key {
			return each, each.Amount == p.Amount && each.Currency == p.Currency && each.OrderID == p.OrderID
		}
	}
	p.Status, p.At = "open", time.Now().UTC()
	s.save(&p)
	return &p, true
}

func (s *Simulator) openSession(w http.ResponseWriter, r *http.Request) {
	amount, err := strconv.ParseInt(r.FormValue("line_items[0][price_data][unit_amount]"), 10, 64)
	if err != nil || amount <= 0 || r.Header.Get("Idempotency-Key") == "" || r.FormValue("mode") != "payment" {
		answer(w, http.StatusBadRequest, stripeError("parameter_invalid"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, same := s.open(Payment{
		Provider: "card", Ref: "cs_test_" + rand.Text(), Key: r.Header.Get("Idempotency-Key"), OrderID: r.FormValue("client_reference_id"),
		Title: r.FormValue("line_items[0][price_data][product_data][name]"), Amount: amount,
		Currency: strings.ToUpper(r.FormValue("line_items[0][price_data][currency]")), Return: r.FormValue("success_url"),
	})
	if !same {
		answer(w, http.StatusBadRequest, stripeError("idempotency_error"))
		return
	}
	answer(w, http.StatusOK, sessionOf(*p, s.page(*p)))
}

func stripeError(code string) map[string]any {
	return map[string]any{"error": map[string]string{"type": "invalid_request_error", "code": code}}
}

// page is the address at which a customer pays.
func (s *Simulator) page(p Payment) string { return s.Public + "/" + p.Provider + "/" + p.Ref }

// sessionOf is a payment as Stripe shows it. An open page has an address.
func sessionOf(p Payment, page string) map[string]any {
	status, paid := "open", "unpaid"
	switch p.Status {
	case "paid":
		status, paid = "complete", "paid"
	case "expired", "voided", "declined":
		status = "expired"
	}
	session := map[string]any{
		"id": p.Ref, "object": "checkout.session", "status": status, "payment_status": paid, "client_reference_id": p.OrderID,
		"amount_total": p.Amount, "currency": strings.ToLower(p.Currency), "payment_intent": nil, "url": nil,
	}
	if paid == "paid" {
		session["amount_total"], session["payment_intent"] = p.Received, "pi_"+strings.TrimPrefix(p.Ref, "cs_test_")
	}
	if status == "open" {
		session["url"] = page
	}
	return session
}

func (s *Simulator) showSession(w http.ResponseWriter, _ *http.Request, p *Payment) {
	answer(w, http.StatusOK, sessionOf(*p, s.page(*p)))
}

func (s *Simulator) expireSession(w http.ResponseWriter, _ *http.Request, p *Payment) {
	if p.Status != "open" {
		answer(w, http.StatusBadRequest, stripeError("session_not_open"))
		return
	}
	p.Status = "voided"
	s.save(p)
	answer(w, http.StatusOK, sessionOf(*p, ""))
}

func (s *Simulator) refundCard(w http.ResponseWriter, r *http.Request) {
	amount, _ := strconv.ParseInt(r.FormValue("amount"), 10, 64)
	ref := "cs_test_" + strings.TrimPrefix(r.FormValue("payment_intent"), "pi_")
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.books.payments[key("card", ref)]
	if !ok {
		answer(w, http.StatusNotFound, stripeError("resource_missing"))
		return
	}
	if reason := p.refund(r.Header.Get("Idempotency-Key"), amount); reason != "" {
		answer(w, http.StatusBadRequest, stripeError(reason))
		return
	}
	s.save(p)
	answer(w, http.StatusOK, map[string]any{"id": "re_" + rand.Text(), "object": "refund", "status": "succeeded", "amount": amount})
}

func (s *Simulator) openTaler(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Order struct {
			Amount  string `json:"amount"`
			Summary string `json:"summary"`
			OrderID string `json:"order_id"`
			Message string `json:"fulfillment_message"`
			Return  string `json:"fulfillment_url"`
		} `json:"order"`
	}
	err := json.NewDecoder(r.Body).Decode(&in)
	amount, ok := talerAmount(in.Order.Amount)
	if err != nil || !ok || in.Order.OrderID == "" {
		answer(w, http.StatusBadRequest, map[string]any{"code": 26})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, same := s.open(Payment{
		Provider: "taler", Ref: in.Order.OrderID, Key: in.Order.OrderID, OrderID: in.Order.Message, Title: in.Order.Summary,
		Amount: amount.Minor, Currency: amount.Currency, Return: in.Order.Return, Token: rand.Text(),
	})
	if !same {
		answer(w, http.StatusConflict, map[string]any{"code": 2500})
		return
	}
	answer(w, http.StatusOK, map[string]any{"order_id": p.Ref, "token": p.Token})
}

func talerAmount(text string) (money.Amount, bool) {
	currency, units, _ := strings.Cut(text, ":")
	amount, err := money.Parse(units, currency)
	return amount, err == nil && amount.Minor > 0
}

func taler(minor int64, currency string) string {
	return currency + ":" + money.Amount{Minor: minor, Currency: currency}.Decimal()
}

func (s *Simulator) showTaler(w http.ResponseWriter, _ *http.Request, p *Payment) {
	shown := map[string]any{"order_status_url": s.page(*p)}
	switch p.Status {
	case "open":
		host := strings.TrimPrefix(strings.TrimPrefix(s.Public, "http://"), "https://")
		shown["order_status"] = "unpaid"
		shown["taler_pay_uri"] = "taler+http://pay/" + host + "/" + p.Ref + "/?c=" + p.Token
	case "paid":
		refunds := []any{}
		for reason, amount := range p.Refunds {
			refunds = append(refunds, map[string]any{"reason": reason, "amount": taler(amount, p.Currency)})
		}
		maps.Copy(shown, map[string]any{
			"order_status": "paid", "deposit_total": taler(p.Received, p.Currency), "refund_amount": taler(p.Refunded(), p.Currency),
			"refunded": p.Refunded() > 0, "refund_details": refunds,
			"contract_terms": map[string]string{"amount": taler(p.Amount, p.Currency), "fulfillment_message": p.OrderID},
		})
	default:
		answer(w, http.StatusNotFound, map[string]any{"code": 2005})
		return
	}
	answer(w, http.StatusOK, shown)
}

func (s *Simulator) deleteTaler(w http.ResponseWriter, _ *http.Request, p *Payment) {
	if p.Status == "paid" {
		answer(w, http.StatusConflict, map[string]any{"code": 2521})
		return
	}
	p.Status = "voided"
	s.save(p)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) refundTaler(w http.ResponseWriter, r *http.Request, p *Payment) {
	var in struct{ Refund, Reason string }
	err := json.NewDecoder(r.Body).Decode(&in)
	sum, ok := talerAmount(in.Refund)
	if err != nil || !ok || p.Status != "paid" {
		answer(w, http.StatusBadRequest, map[string]any{"code": 26})
		return
	}
	if reason := p.refund(in.Reason, sum.Minor-p.Refunded()); reason != "" {
		answer(w, http.StatusConflict, map[string]any{"code": 2530})
		return
	}
	s.save(p)
	answer(w, http.StatusOK, map[string]any{"taler_refund_uri": "taler+http://refund/" + p.Ref})
}

// chains are the chains that take slips.
var chains = []string{"seven_eleven", "lawson", "family_mart", "ministop", "seicomart"}

func (s *Simulator) openSlip(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID       string    `json:"id"`
		OrderID  string    `json:"order_id"`
		Chain    string    `json:"chain"`
		Amount   int64     `json:"amount"`
		Currency string    `json:"currency"`
		Deadline time.Time `json:"deadline"`
	}
	err := json.NewDecoder(r.Body).Decode(&in)
	if err != nil || in.ID == "" || in.Currency != "JPY" || in.Amount <= 0 || !slices.Contains(chains, in.Chain) {
		answer(w, http.StatusBadRequest, map[string]string{"error": "a slip needs id, chain, amount in JPY and deadline"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, same := s.open(Payment{
		Provider: "konbini", Ref: in.ID, Key: in.ID, OrderID: in.OrderID, Title: in.Chain, Amount: in.Amount, Currency: in.Currency,
		Chain: in.Chain, Deadline: in.Deadline, Number: digits(slipDigits), Confirm: digits(confirmDigits),
	})
	if !same {
		answer(w, http.StatusConflict, map[string]string{"error": "the id is that of another slip"})
		return
	}
	showSlip(w, r, p)
}

// Lengths of the numbers on a slip.
const (
	slipDigits    = 13
	confirmDigits = 6
)

func digits(n int) string {
	random := make([]byte, n)
	_, _ = rand.Read(random) // it does not fail
	var text strings.Builder
	for _, b := range random {
		fmt.Fprint(&text, b%10)
	}
	return text.String()
}

func showSlip(w http.ResponseWriter, _ *http.Request, p *Payment) {
	status := p.Status
	if status == "open" && time.Now().After(p.Deadline) {
		status = "expired"
	}
	answer(w, http.StatusOK, map[string]any{
		"id": p.Ref, "order_id": p.OrderID, "chain": p.Chain, "number": p.Number, "confirmation": p.Confirm,
		"deadline": p.Deadline, "status": status, "received": p.Received, "currency": p.Currency,
	})
}

func (s *Simulator) voidSlip(w http.ResponseWriter, r *http.Request, p *Payment) {
	if p.Status == "open" {
		p.Status = "voided"
		s.save(p)
	}
	showSlip(w, r, p)
}

func (s *Simulator) refundSlip(w http.ResponseWriter, r *http.Request, p *Payment) {
	var in struct {
		ID       string `json:"id"`
		Amount   int64  `json:"amount"`
		Currency string `json:"currency"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.ID == "" || in.Currency != p.Currency {
		answer(w, http.StatusBadRequest, map[string]string{"error": "a refund needs id, amount and currency"})
		return
	}
	if reason := p.refund(in.ID, in.Amount); reason != "" {
		answer(w, http.StatusConflict, map[string]string{"error": reason})
		return
	}
	s.save(p)
	showSlip(w, r, p)
}
