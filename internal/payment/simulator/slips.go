package simulator

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// slips speaks the API of a provider of slips for convenience stores.
type slips struct{ *Simulator }

func (s slips) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /konbini/slips", s.open)
	mux.HandleFunc("GET /konbini/slips", s.list)
	mux.HandleFunc("GET /konbini/slips/{ref}", s.with("konbini", showSlip))
	mux.HandleFunc("POST /konbini/slips/{ref}/void", s.with("konbini", s.void))
	mux.HandleFunc("POST /konbini/slips/{ref}/refunds", s.with("konbini", s.refund))
}

// chains are the chains that take slips.
var chains = []string{"seven_eleven", "lawson", "family_mart", "ministop", "seicomart"}

func (s slips) open(w http.ResponseWriter, r *http.Request) {
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
	p, same := s.enter(Payment{
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
	answer(w, http.StatusOK, slipOf(*p))
}

func slipOf(p Payment) map[string]any {
	status := p.Status
	if status == "open" && time.Now().After(p.Deadline) {
		status = "expired"
	}
	return map[string]any{
		"id": p.Ref, "order_id": p.OrderID, "chain": p.Chain, "number": p.Number, "confirmation": p.Confirm,
		"deadline": p.Deadline, "status": status, "received": p.Received, "refunded": p.Refunded(), "currency": p.Currency,
	}
}

func (s slips) void(w http.ResponseWriter, r *http.Request, p *Payment) {
	if p.Status == "open" {
		p.Status = "voided"
		s.save(p)
	}
	showSlip(w, r, p)
}

func (s slips) refund(w http.ResponseWriter, r *http.Request, p *Payment) {
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
