package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

// Card accepts cards on the hosted page of Stripe, or of a provider with the same API. The shop never receives a card number.
type Card struct {
	caller
	secrets []string
}

// NewCard returns the provider of card payments.
func NewCard(s config.Payments) Card {
	header := http.Header{"Authorization": {"Bearer " + s.CardKey}, "Stripe-Version": {"2025-03-31.basil"}}
	return Card{newCaller("card", strings.TrimSuffix(s.CardURL, "/"), header), s.CardSecrets}
}

// Name is "card".
func (Card) Name() string { return "card" }

// session is a page for one payment, as Stripe shows it.
type session struct {
	ID            string       `json:"id"`
	URL           string       `json:"url"`
	Status        string       `json:"status"`         // open, complete, expired
	PaymentStatus string       `json:"payment_status"` // unpaid, paid
	AmountTotal   int64        `json:"amount_total"`
	Currency      string       `json:"currency"`
	Reference     string       `json:"client_reference_id"`
	Intent        string       `json:"payment_intent"`
	Error         *stripeError `json:"error"`
}

type stripeError struct {
	Type string `json:"type"`
	Code string `json:"code"`
}

// Open makes a page on which the customer pays.
func (c Card) Open(ctx context.Context, key string, r payment.Request) (payment.Opened, error) {
	form := url.Values{
		"mode":                                          {"payment"},
		"client_reference_id":                           {r.OrderID},
		"metadata[payment_id]":                          {r.PaymentID},
		"line_items[0][quantity]":                       {"1"},
		"line_items[0][price_data][currency]":           {strings.ToLower(r.Amount.Currency)},
		"line_items[0][price_data][unit_amount]":        {strconv.FormatInt(r.Amount.Minor, 10)},
		"line_items[0][price_data][product_data][name]": {r.OrderNumber},
		"success_url":                                   {r.ReturnURL},
		"cancel_url":                                    {r.ReturnURL},
		"expires_at":                                    {strconv.FormatInt(r.At.Add(lives).Unix(), 10)},
	}
	var made session
	if err := c.post(ctx, "/v1/checkout/sessions", key, form, &made); err != nil {
		return payment.Opened{}, err
	}
	if made.Error != nil && strings.HasPrefix(made.Error.Code, "amount_") { // too small or too large for a card
		return payment.Opened{Ref: "refused_" + r.PaymentID, Outcome: payment.Declined, Reason: "refused"}, nil
	}
	if made.ID == "" {
		return payment.Opened{}, refused("open", made.Error)
	}
	return payment.Opened{Ref: made.ID, Outcome: made.outcome(), URI: made.URL}, nil
}

// Query returns how the payment of a page stands.
func (c Card) Query(ctx context.Context, ref string) (payment.State, error) {
	s, err := c.read(ctx, ref)
	if err != nil {
		return payment.State{}, err
	}
	state := payment.State{Outcome: s.outcome(), OrderID: s.Reference}
	if state.Outcome == payment.Paid {
		state.Received = money.Amount{Minor: s.AmountTotal, Currency: strings.ToUpper(s.Currency)}
	}
	return state, nil
}

func (c Card) read(ctx context.Context, ref string) (s session, err error) {
	_, err = c.do(ctx, http.MethodGet, "/v1/checkout/sessions/"+url.PathEscape(ref), "", nil, nil, &s)
	if err == nil && s.ID == "" {
		err = refused("query", s.Error)
	}
	return s, err
}

// outcome is how the payment of a page stands. A refused card leaves the page open: the customer may try another one.
func (s session) outcome() payment.Outcome {
	switch {
	case s.PaymentStatus == "paid":
		return payment.Paid
	case s.Status == "expired":
		return payment.Expired
	}
	return payment.Open
}

// Void closes the page.
func (c Card) Void(ctx context.Context, key, ref string) (paid bool, err error) {
	var s session
	if err := c.post(ctx, "/v1/checkout/sessions/"+url.PathEscape(ref)+"/expire", "void-"+key, nil, &s); err != nil {
		return false, err
	}
	if s.Status == "expired" {
		return false, nil
	}
	if s, err = c.read(ctx, ref); err != nil { // it was not open: closed before, or paid
		return false, err
	}
	switch s.outcome() {
	case payment.Paid:
		return true, nil
	case payment.Expired:
		return false, nil
	}
	return false, fmt.Errorf("card: the page %s stays open", ref)
}

// Refund gives money back to the card.
func (c Card) Refund(ctx context.Context, key, ref string, amount money.Amount) (done bool, reason string, err error) {
	s, err := c.read(ctx, ref)
	if err != nil {
		return false, "", err
	}
	var refund struct {
		ID     string       `json:"id"`
		Status string       `json:"status"`
		Reason string       `json:"failure_reason"`
		Error  *stripeError `json:"error"`
	}
	form := url.Values{"payment_intent": {s.Intent}, "amount": {strconv.FormatInt(amount.Minor, 10)}}
	if err := c.post(ctx, "/v1/refunds", "refund-"+key, form, &refund); err != nil {
		return false, "", err
	}
	switch {
	case refund.Error != nil:
		return false, refund.Error.text(), nil
	case refund.Status == "succeeded" || refund.Status == "pending":
		return true, "", nil
	case refund.Status == "failed" || refund.Status == "canceled":
		return false, refund.Reason, nil
	}
	return false, "", fmt.Errorf("card: a refund has the unknown status %q", refund.Status)
}

func (c Card) post(ctx context.Context, path, key string, form url.Values, answer any) error {
	_, err := c.do(ctx, http.MethodPost, path, "application/x-www-form-urlencoded", []byte(form.Encode()),
		http.Header{"Idempotency-Key": {key}}, answer)
	return err
}

func (e *stripeError) text() string {
	if e.Code != "" {
		return e.Code
	}
	return e.Type
}

func refused(act string, e *stripeError) error {
	if e == nil {
		return fmt.Errorf("card: %s has no answer that is a page", act)
	}
	return fmt.Errorf("card: %s was refused: %s", act, e.text())
}

// NoticeSecrets returns the secrets of the webhook.
func (c Card) NoticeSecrets() []string { return c.secrets }

// ReadNotice reads an event of Stripe.
func (Card) ReadNotice(body []byte) (noticeID, kind, ref string, err error) {
	var notice struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Data struct {
			Object struct {
				ID string `json:"id"`
			} `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &notice); err != nil {
		return "", "", "", err
	}
	if strings.HasPrefix(notice.Type, "checkout.session.") {
		ref = notice.Data.Object.ID
	}
	return notice.ID, notice.Type, ref, nil
}
