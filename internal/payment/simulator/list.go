package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// list returns a page of the payments of a provider that were opened since, those after the one with a reference.
func (s *Simulator) list(provider string, since time.Time, limit int, last func(i int, p Payment) bool) (page []Payment, first int, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Payment
	for _, p := range s.books.all() {
		if p.Provider == provider && !p.At.Before(since) {
			all = append(all, p)
		}
	}
	for i, p := range all {
		if last(i, p) {
			first = i + 1
		}
	}
	end := min(first+limit, len(all))
	return all[first:end], first, end < len(all)
}

const mostOfPage = 100

func pageOf(r *http.Request, name string) (since time.Time, limit int, ok bool) {
	seconds, err := strconv.ParseInt(r.FormValue(name), 10, 64)
	limit, wrong := strconv.Atoi(r.FormValue("limit"))
	return time.Unix(seconds, 0), limit, err == nil && wrong == nil && 0 < limit && limit <= mostOfPage
}

func byRef(after string) func(int, Payment) bool {
	return func(_ int, p Payment) bool { return p.Ref == after }
}

func (s cards) list(w http.ResponseWriter, r *http.Request) {
	since, limit, ok := pageOf(r, "created[gte]")
	if !ok {
		answer(w, http.StatusBadRequest, stripeError("parameter_invalid"))
		return
	}
	page, _, more := s.Simulator.list("card", since, limit, byRef(r.FormValue("starting_after")))
	sessions := []any{}
	for _, p := range page {
		sessions = append(sessions, sessionOf(p, s.page(p)))
	}
	answer(w, http.StatusOK, map[string]any{"object": "list", "data": sessions, "has_more": more})
}

// listRefunds has all refunds on one page or more; their ids are made of their keys.
func (s cards) listRefunds(w http.ResponseWriter, r *http.Request) {
	since, limit, ok := pageOf(r, "created[gte]")
	if !ok {
		answer(w, http.StatusBadRequest, stripeError("parameter_invalid"))
		return
	}
	payments, _, _ := s.Simulator.list("card", since, len(s.Payments()), byRef(""))
	refunds := []map[string]any{}
	for _, p := range payments {
		for key, amount := range p.Refunds {
			refunds = append(refunds, map[string]any{
				"id": "re_" + key, "object": "refund", "status": "succeeded", "amount": amount, "payment_intent": intentOf(p),
			})
		}
	}
	slices.SortFunc(refunds, func(x, y map[string]any) int { return strings.Compare(x["id"].(string), y["id"].(string)) })
	first := 1 + slices.IndexFunc(refunds, func(x map[string]any) bool { return x["id"] == r.FormValue("starting_after") })
	end := min(first+limit, len(refunds))
	answer(w, http.StatusOK, map[string]any{"object": "list", "data": refunds[first:end], "has_more": end < len(refunds)})
}

func (s wallets) list(w http.ResponseWriter, r *http.Request) {
	since, limit, ok := pageOf(r, "date_s")
	if !ok {
		answer(w, http.StatusBadRequest, map[string]any{"code": 26})
		return
	}
	page, first, _ := s.Simulator.list("taler", since, limit, func(i int, _ Payment) bool { return strconv.Itoa(i+1) == r.FormValue("offset") })
	orders := []any{}
	for i, p := range page {
		if p.Status == "voided" { // it was deleted
			continue
		}
		entry := map[string]any{
			"order_id": p.Ref, "row_id": first + i + 1, "timestamp": map[string]int64{"t_s": p.At.Unix()}, "summary": p.Title,
			"amount": taler(p.Amount, p.Currency), "paid": p.Status == "paid", "refundable": p.Kept() > 0,
		}
		if p.Status == "paid" {
			entry["amount"] = taler(p.Received, p.Currency)
		}
		if p.Refunded() > 0 {
			entry["refund_amount"] = taler(p.Refunded(), p.Currency)
		}
		orders = append(orders, entry)
	}
	answer(w, http.StatusOK, map[string]any{"orders": orders})
}

func (s slips) list(w http.ResponseWriter, r *http.Request) {
	since, err := time.Parse(time.RFC3339, r.FormValue("since"))
	limit, wrong := strconv.Atoi(r.FormValue("limit"))
	if err != nil || wrong != nil || limit < 1 || limit > mostOfPage {
		answer(w, http.StatusBadRequest, map[string]string{"error": "a list needs since and limit"})
		return
	}
	page, _, more := s.Simulator.list("konbini", since, limit, byRef(r.FormValue("after")))
	shown := []any{}
	for _, p := range page {
		shown = append(shown, slipOf(p))
	}
	answer(w, http.StatusOK, map[string]any{"slips": shown, "more": more})
}
