package simulator

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
)

// cards speaks the API of Stripe.
type cards struct{ *Simulator }

func (s cards) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /card/v1/checkout/sessions", s.open)
	mux.HandleFunc("GET /card/v1/checkout/sessions/{ref}", s.with("card", s.show))
	mux.HandleFunc("POST /card/v1/checkout/sessions/{ref}/expire", s.with("card", s.expire))
	mux.HandleFunc("POST /card/v1/refunds", s.refund)
	mux.HandleFunc("GET /card/v1/checkout/sessions", s.list)
	mux.HandleFunc("GET /card/v1/refunds", s.listRefunds)
}

// leastCharge is the least that a card can be charged, in the smallest coin of most currencies.
const leastCharge = 50

func (s cards) open(w http.ResponseWriter, r *http.Request) {
	amount, err := strconv.ParseInt(r.FormValue("line_items[0][price_data][unit_amount]"), 10, 64)
	if err != nil || amount <= 0 || r.Header.Get("Idempotency-Key") == "" || r.FormValue("mode") != "payment" {
		answer(w, http.StatusBadRequest, stripeError("parameter_invalid"))
		return
	}
	if amount < leastCharge {
		answer(w, http.StatusBadRequest, stripeError("amount_too_small"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, same := s.enter(Payment{
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
		session["amount_total"], session["payment_intent"] = p.Received, intentOf(p)
	}
	if status == "open" {
		session["url"] = page
	}
	return session
}

func intentOf(p Payment) string { return "pi_" + strings.TrimPrefix(p.Ref, "cs_test_") }

func (s cards) show(w http.ResponseWriter, _ *http.Request, p *Payment) {
	answer(w, http.StatusOK, sessionOf(*p, s.page(*p)))
}

func (s cards) expire(w http.ResponseWriter, _ *http.Request, p *Payment) {
	if p.Status != "open" {
		answer(w, http.StatusBadRequest, stripeError("session_not_open"))
		return
	}
	p.Status = "voided"
	s.save(p)
	answer(w, http.StatusOK, sessionOf(*p, ""))
}

func (s cards) refund(w http.ResponseWriter, r *http.Request) {
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
