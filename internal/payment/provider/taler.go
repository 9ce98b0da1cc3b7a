package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

// Taler accepts GNU Taler through a merchant backend.
type Taler struct {
	caller
	secrets []string
}

// NewTaler returns the provider of Taler payments.
func NewTaler(s config.Payments) Taler {
	header := http.Header{"Authorization": {"Bearer " + s.TalerToken}}
	return Taler{newCaller("taler", strings.TrimSuffix(s.TalerURL, "/"), header), s.TalerSecrets}
}

// Name is "taler".
func (Taler) Name() string { return "taler" }

// talerStatus is an order of the merchant backend.
type talerStatus struct {
	Status   string `json:"order_status"` // unpaid, claimed, paid
	PayURI   string `json:"taler_pay_uri"`
	Deposit  string `json:"deposit_total"`
	Contract struct {
		Amount string `json:"amount"`
		Extra  struct {
			OrderID string `json:"order_id"`
		} `json:"extra"`
	} `json:"contract_terms"`
	Refunds []struct {
		Reason string `json:"reason"`
	} `json:"refund_details"`
	RefundAmount string `json:"refund_amount"`
	Code         int    `json:"code"`
}

// Open makes an order at the backend, under the id of the payment.
func (t Taler) Open(ctx context.Context, key string, r payment.Request) (payment.Opened, error) {
	order := map[string]any{
		"order": map[string]any{
			"amount": talerAmount(r.Amount), "summary": r.OrderNumber, "order_id": r.PaymentID,
			"fulfillment_url": r.ReturnURL, "extra": map[string]string{"order_id": r.OrderID},
			"pay_deadline": map[string]int64{"t_s": r.At.Add(lives).Unix()},
		},
		"create_token": true,
	}
	var made struct {
		OrderID string `json:"order_id"`
		Code    int    `json:"code"`
	}
	status, err := t.json(ctx, http.MethodPost, "/private/orders", order, &made)
	if err != nil {
		return payment.Opened{}, err
	}
	if status != http.StatusOK {
		return payment.Opened{}, fmt.Errorf("taler: the order was refused with %d, code %d", status, made.Code)
	}
	s, err := t.read(ctx, r.PaymentID)
	if err != nil {
		return payment.Opened{}, err
	}
	return payment.Opened{Ref: r.PaymentID, Outcome: s.outcome(), URI: s.PayURI}, nil
}

func (t Taler) read(ctx context.Context, ref string) (s talerStatus, err error) {
	status, err := t.json(ctx, http.MethodGet, "/private/orders/"+url.PathEscape(ref), nil, &s)
	switch {
	case err != nil:
		return s, err
	case status == http.StatusNotFound:
		return talerStatus{Status: "gone"}, nil
	case status != http.StatusOK:
		return s, fmt.Errorf("taler: answered %d, code %d", status, s.Code)
	}
	return s, nil
}

func (s talerStatus) outcome() payment.Outcome {
	switch s.Status {
	case "paid":
		return payment.Paid
	case "gone":
		return payment.Expired
	}
	return payment.Open
}

// Query returns how an order of the backend stands.
func (t Taler) Query(ctx context.Context, ref string) (payment.State, error) {
	s, err := t.read(ctx, ref)
	if err != nil {
		return payment.State{}, err
	}
	state := payment.State{Outcome: s.outcome(), OrderID: s.Contract.Extra.OrderID}
	if state.Outcome != payment.Paid {
		return state, nil
	}
	state.Received, err = parseTaler(s.Deposit)
	return state, err
}

// Void deletes an order that is not paid.
func (t Taler) Void(ctx context.Context, _, ref string) (paid bool, err error) {
	var answer struct {
		Code int `json:"code"`
	}
	status, err := t.json(ctx, http.MethodDelete, "/private/orders/"+url.PathEscape(ref)+"?force=yes", nil, &answer)
	switch {
	case err != nil:
		return false, err
	case status == http.StatusNoContent || status == http.StatusNotFound:
		return false, nil
	}
	s, err := t.read(ctx, ref)
	switch {
	case err != nil:
		return false, err
	case s.outcome() == payment.Paid:
		return true, nil
	case s.outcome() == payment.Expired:
		return false, nil
	}
	return false, fmt.Errorf("taler: the order stays open: %d, code %d", status, answer.Code)
}

// Refund grants a refund, which the customer's wallet collects. The request has the sum of all refunds of the order. The key
// is stored as the reason, by which a repeated refund is recognised.
func (t Taler) Refund(ctx context.Context, key, ref string, amount money.Amount) (done bool, reason string, err error) {
	s, err := t.read(ctx, ref)
	if err != nil {
		return false, "", err
	}
	for _, granted := range s.Refunds {
		if granted.Reason == key {
			return true, "", nil
		}
	}
	sum := amount
	if s.RefundAmount != "" {
		before, err := parseTaler(s.RefundAmount)
		if err != nil {
			return false, "", err
		}
		sum.Minor += before.Minor
	}
	var answer struct {
		URI  string `json:"taler_refund_uri"`
		Code int    `json:"code"`
	}
	status, err := t.json(ctx, http.MethodPost, "/private/orders/"+url.PathEscape(ref)+"/refund",
		map[string]string{"refund": talerAmount(sum), "reason": key}, &answer)
	if err != nil {
		return false, "", err
	}
	if status != http.StatusOK {
		return false, fmt.Sprintf("taler code %d", answer.Code), nil
	}
	return true, "", nil
}

// talerAmount is an amount as Taler writes it, such as EUR:19.99.
func talerAmount(a money.Amount) string { return a.Currency + ":" + a.Decimal() }

func parseTaler(text string) (money.Amount, error) {
	currency, units, ok := strings.Cut(text, ":")
	if !ok {
		return money.Amount{}, fmt.Errorf("taler: %q is not an amount", text)
	}
	exponent, _ := money.Exponent(currency)
	whole, decimals, _ := strings.Cut(units, ".")
	for len(decimals) > exponent && strings.HasSuffix(decimals, "0") {
		decimals = strings.TrimSuffix(decimals, "0")
	}
	if decimals != "" {
		whole += "." + decimals
	}
	return money.Parse(whole, currency)
}

// NoticeSecrets returns the secrets that the backend's webhook template signs with.
func (t Taler) NoticeSecrets() []string { return t.secrets }

// ReadNotice reads a notice of the backend: its webhook template is {"id": …, "type": …, "order_id": …}.
func (Taler) ReadNotice(body []byte) (noticeID, kind, ref string, err error) { return readNotice(body) }

// readNotice reads a notice in the shop's own form.
func readNotice(body []byte) (noticeID, kind, ref string, err error) {
	var notice struct {
		ID      string `json:"id"`
		Type    string `json:"type"`
		OrderID string `json:"order_id"`
	}
	err = json.Unmarshal(body, &notice)
	return notice.ID, notice.Type, notice.OrderID, err
}
