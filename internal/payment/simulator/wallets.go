package simulator

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"github.com/popup-shop/popup/internal/money"
)

// wallets speaks the protocol of a GNU Taler merchant backend.
type wallets struct{ *Simulator }

func (s wallets) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /taler/private/orders", s.open)
	mux.HandleFunc("GET /taler/private/orders", s.list)
	mux.HandleFunc("GET /taler/private/orders/{ref}", s.with("taler", s.show))
	mux.HandleFunc("DELETE /taler/private/orders/{ref}", s.with("taler", s.remove))
	mux.HandleFunc("POST /taler/private/orders/{ref}/refund", s.with("taler", s.refund))
}

func (s wallets) open(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Order struct {
			Amount  string `json:"amount"`
			Summary string `json:"summary"`
			OrderID string `json:"order_id"`
			Extra   struct {
				OrderID string `json:"order_id"`
			} `json:"extra"`
			Return string `json:"fulfillment_url"`
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
	p, same := s.enter(Payment{
		Provider: "taler", Ref: in.Order.OrderID, Key: in.Order.OrderID, OrderID: in.Order.Extra.OrderID, Title: in.Order.Summary,
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

func (s wallets) show(w http.ResponseWriter, _ *http.Request, p *Payment) {
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
			"contract_terms": map[string]any{"amount": taler(p.Amount, p.Currency), "extra": map[string]string{"order_id": p.OrderID}},
		})
	default:
		answer(w, http.StatusNotFound, map[string]any{"code": 2005})
		return
	}
	answer(w, http.StatusOK, shown)
}

func (s wallets) remove(w http.ResponseWriter, _ *http.Request, p *Payment) {
	if p.Status == "paid" {
		answer(w, http.StatusConflict, map[string]any{"code": 2521})
		return
	}
	p.Status = "voided"
	s.save(p)
	w.WriteHeader(http.StatusNoContent)
}

func (s wallets) refund(w http.ResponseWriter, r *http.Request, p *Payment) {
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
