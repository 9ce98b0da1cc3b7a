package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

// pageSize is how many payments a provider is asked for at once.
const pageSize = 100

// eachPage calls read with the id of the last item of the page before, until there is no more.
func eachPage(read func(after string) (last string, more bool, err error)) error {
	after, more, err := read("")
	for err == nil && more {
		before := after
		if after, more, err = read(before); err == nil && more && after == before {
			err = fmt.Errorf("the page after %.100q is the same again", before)
		}
	}
	return err
}

// stripeList is a page of a list of Stripe.
type stripeList[T any] struct {
	Data  []T          `json:"data"`
	More  bool         `json:"has_more"`
	Error *stripeError `json:"error"`
}

// listStripe reads everything that was made at a time or later.
func listStripe[T any](ctx context.Context, c Card, path string, since time.Time, idOf func(T) string) (all []T, err error) {
	err = eachPage(func(after string) (string, bool, error) {
		query := url.Values{"limit": {strconv.Itoa(pageSize)}, "created[gte]": {strconv.FormatInt(since.Unix(), 10)}}
		if after != "" {
			query.Set("starting_after", after)
		}
		var page stripeList[T]
		if _, err := c.do(ctx, http.MethodGet, path+"?"+query.Encode(), "", nil, nil, &page); err != nil {
			return "", false, err
		}
		if page.Error != nil || page.Data == nil {
			return "", false, refused("list", page.Error)
		}
		all = append(all, page.Data...)
		if len(page.Data) == 0 {
			return "", false, nil
		}
		return idOf(page.Data[len(page.Data)-1]), page.More, nil
	})
	return all, err
}

// stripeRefund is a refund in the list of Stripe.
type stripeRefund struct {
	ID     string `json:"id"`
	Intent string `json:"payment_intent"`
	Status string `json:"status"`
	Amount int64  `json:"amount"`
}

// List returns the pages that were made since, with their refunds.
func (c Card) List(ctx context.Context, since time.Time) ([]payment.Booked, error) {
	refunds, err := listStripe(ctx, c, "/v1/refunds", since, func(r stripeRefund) string { return r.ID })
	if err != nil {
		return nil, err
	}
	refunded := map[string]int64{}
	for _, r := range refunds {
		if r.Status == "succeeded" || r.Status == "pending" {
			refunded[r.Intent] += r.Amount
		}
	}
	sessions, err := listStripe(ctx, c, "/v1/checkout/sessions", since, func(s session) string { return s.ID })
	if err != nil {
		return nil, err
	}
	all := make([]payment.Booked, len(sessions))
	for i, s := range sessions {
		all[i] = payment.Booked{Ref: s.ID, Outcome: s.outcome()}
		if all[i].Outcome == payment.Paid {
			all[i].Received = money.Amount{Minor: s.AmountTotal, Currency: strings.ToUpper(s.Currency)}
			all[i].Refunded = refunded[s.Intent]
		}
	}
	return all, nil
}

// talerEntry is an order in the list of the merchant backend.
type talerEntry struct {
	OrderID string `json:"order_id"`
	Row     int64  `json:"row_id"`
	Amount  string `json:"amount"`
	Refund  string `json:"refund_amount"`
	Paid    bool   `json:"paid"`
}

func (e talerEntry) booked() (b payment.Booked, err error) {
	b = payment.Booked{Ref: e.OrderID, Outcome: payment.Open}
	if !e.Paid {
		return b, nil
	}
	b.Outcome = payment.Paid
	if b.Received, err = parseTaler(e.Amount); err != nil || e.Refund == "" {
		return b, err
	}
	refunded, err := parseTaler(e.Refund)
	b.Refunded = refunded.Minor
	return b, err
}

// List returns the orders of the backend that were made since. Deleted ones are not among them.
func (t Taler) List(ctx context.Context, since time.Time) (all []payment.Booked, err error) {
	err = eachPage(func(after string) (string, bool, error) {
		query := url.Values{"limit": {strconv.Itoa(pageSize)}, "date_s": {strconv.FormatInt(since.Unix(), 10)}}
		if after != "" {
			query.Set("offset", after)
		}
		var page struct {
			Orders []talerEntry `json:"orders"`
			Code   int          `json:"code"`
		}
		status, err := t.json(ctx, http.MethodGet, "/private/orders?"+query.Encode(), nil, &page)
		if err != nil {
			return "", false, err
		}
		if status != http.StatusOK || page.Orders == nil {
			return "", false, fmt.Errorf("taler: the list was refused with %d, code %d", status, page.Code)
		}
		for _, e := range page.Orders {
			b, err := e.booked()
			if err != nil {
				return "", false, err
			}
			all = append(all, b)
			after = strconv.FormatInt(e.Row, 10)
		}
		return after, len(page.Orders) == pageSize, nil
	})
	return all, err
}

// List returns the slips that were made since.
func (s Slips) List(ctx context.Context, since time.Time) (all []payment.Booked, err error) {
	err = eachPage(func(after string) (string, bool, error) {
		query := url.Values{"limit": {strconv.Itoa(pageSize)}, "since": {since.UTC().Format(time.RFC3339)}, "after": {after}}
		var page struct {
			Slips []slip `json:"slips"`
			More  bool   `json:"more"`
			Error string `json:"error"`
		}
		status, err := s.json(ctx, http.MethodGet, "/slips?"+query.Encode(), nil, &page)
		if err != nil {
			return "", false, err
		}
		if status != http.StatusOK || page.Slips == nil {
			return "", false, fmt.Errorf("konbini: the list was refused with %d: %.100s", status, page.Error)
		}
		for _, made := range page.Slips {
			b := payment.Booked{Ref: made.ID, Outcome: s.outcome(made), Refunded: made.Refunded}
			b.Received = money.Amount{Minor: made.Received, Currency: made.Currency}
			all = append(all, b)
			after = made.ID
		}
		return after, page.More, nil
	})
	return all, err
}
