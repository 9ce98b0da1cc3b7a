package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

// Slips accepts payments in convenience stores. The chain reports a payment up to a day later.
type Slips struct {
	caller
	secrets []string
	valid   time.Duration
	grace   time.Duration
}

// NewSlips returns the provider of slips.
func NewSlips(s config.Payments) Slips {
	header := http.Header{"Authorization": {"Bearer " + s.KonbiniKey}}
	return Slips{
		newCaller("konbini", strings.TrimSuffix(s.KonbiniURL, "/"), header), s.KonbiniSecrets, s.SlipTime, s.SlipGrace,
	}
}

// Name is "konbini".
func (Slips) Name() string { return "konbini" }

// slip is a slip in the books of its provider.
type slip struct {
	ID           string    `json:"id"`
	OrderID      string    `json:"order_id"`
	Chain        string    `json:"chain"`
	Number       string    `json:"number"`
	Confirmation string    `json:"confirmation"`
	Deadline     time.Time `json:"deadline"`
	Status       string    `json:"status"` // open, paid, declined, expired, voided
	Received     int64     `json:"received"`
	Refunded     int64     `json:"refunded"`
	Currency     string    `json:"currency"`
	Error        string    `json:"error"`
}

// SlipDeadline is the last moment at which a slip can be paid. Whole days end with the day in Tokyo.
func SlipDeadline(at time.Time, valid time.Duration) time.Time {
	end := at.Add(valid)
	if valid%(24*time.Hour) != 0 {
		return end.UTC().Truncate(time.Second)
	}
	year, month, day := end.In(payment.Tokyo()).Date()
	return time.Date(year, month, day, 23, 59, 59, 0, payment.Tokyo()).UTC()
}

// Open makes a slip.
func (s Slips) Open(ctx context.Context, key string, r payment.Request) (payment.Opened, error) {
	body := map[string]any{
		"id": key, "order_id": r.OrderID, "chain": strings.TrimPrefix(r.Method, "konbini_"), "amount": r.Amount.Minor,
		"currency": r.Amount.Currency, "deadline": SlipDeadline(r.At, s.valid),
	}
	var made slip
	status, err := s.json(ctx, http.MethodPost, "/slips", body, &made)
	if err != nil {
		return payment.Opened{}, err
	}
	if status != http.StatusOK || made.ID == "" {
		return payment.Opened{}, fmt.Errorf("konbini: the slip was refused with %d: %.100s", status, made.Error)
	}
	return payment.Opened{
		Ref: made.ID, Outcome: s.outcome(made), URI: r.ReturnURL, ExpiresAt: made.Deadline.Add(s.grace),
		Slip: &payment.Slip{Number: made.Number, Confirmation: made.Confirmation, Chain: made.Chain, Deadline: made.Deadline},
	}, nil
}

// outcome is how a slip stands. Chains report late, so a slip is not expired before the time of grace is over.
func (s Slips) outcome(made slip) payment.Outcome {
	switch made.Status {
	case "paid":
		return payment.Paid
	case "declined":
		return payment.Declined
	case "voided":
		return payment.Expired
	case "expired":
		if time.Now().Before(made.Deadline.Add(s.grace)) {
			return payment.Open
		}
		return payment.Expired
	}
	return payment.Open
}

func (s Slips) read(ctx context.Context, method, path string, body any) (found slip, err error) {
	status, err := s.json(ctx, method, path, body, &found)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("konbini: answered %d: %.100s", status, found.Error)
	}
	return found, err
}

// Query returns how a slip stands.
func (s Slips) Query(ctx context.Context, ref string) (payment.State, error) {
	found, err := s.read(ctx, http.MethodGet, "/slips/"+url.PathEscape(ref), nil)
	if err != nil {
		return payment.State{}, err
	}
	return payment.State{
		Outcome: s.outcome(found), OrderID: found.OrderID,
		Received: money.Amount{Minor: found.Received, Currency: found.Currency},
	}, nil
}

// Void makes a slip invalid.
func (s Slips) Void(ctx context.Context, _, ref string) (paid bool, err error) {
	found, err := s.read(ctx, http.MethodPost, "/slips/"+url.PathEscape(ref)+"/void", nil)
	return found.Status == "paid", err
}

// Refund gives the money back.
func (s Slips) Refund(ctx context.Context, key, ref string, amount money.Amount) (done bool, reason string, err error) {
	var answer slip
	status, err := s.json(ctx, http.MethodPost, "/slips/"+url.PathEscape(ref)+"/refunds",
		map[string]any{"id": key, "amount": amount.Minor, "currency": amount.Currency}, &answer)
	switch {
	case err != nil:
		return false, "", err
	case status == http.StatusOK:
		return true, "", nil
	case answer.Error != "":
		return false, fmt.Sprintf("%.100s", answer.Error), nil
	}
	return false, "", fmt.Errorf("konbini: a refund was answered with %d", status)
}

// NoticeSecrets returns the secrets that notices are signed with.
func (s Slips) NoticeSecrets() []string { return s.secrets }

// ReadNotice reads a notice.
func (Slips) ReadNotice(body []byte) (noticeID, kind, ref string, err error) { return readNotice(body) }
