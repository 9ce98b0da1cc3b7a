package mailtext

import (
	"slices"
	"strings"

	"github.com/popup-shop/popup/internal/money"
)

// Languages are those that mails are written in.
func Languages() []string { return []string{"en", "ja"} }

// Kinds returns all kinds of mails, sorted.
func Kinds() (kinds []string) {
	for _, t := range texts.Templates() {
		if kind, ok := strings.CutSuffix(strings.TrimPrefix(t.Name(), "en/"), "/subject"); ok && strings.HasPrefix(t.Name(), "en/") {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// Sample returns an example of a kind of mail, about a made-up order.
func Sample(kind, language string) Message {
	m := Message{
		Kind: kind, Locale: language, To: "ada@example.test", Name: "Ada Byron", Number: "ORD-20260131-7K3QX9",
		OrderID: "019c1363-49c0-73ee-b7e9-6e59ce40f9cb", Status: "confirmed", Reason: "out_of_stock", Method: "simulated",
		URI: "https://pay.example.test/7K3QX9", Carrier: "DHL", TrackingNumber: "JD014600006281230701", Address: "Am Kai 1, 20457, Hamburg, DE",
		Total: money.Amount{Minor: 8092, Currency: "EUR"}, Subtotal: 6300, DeliveryFee: 500, Tax: 1292,
		Items: []Item{{Name: "Harbour cap", Quantity: 1, TotalMinor: 2400}, {Name: "Low Tide T-shirt", Quantity: 1, TotalMinor: 3900}},
	}
	if kind == "password_reset" || kind == "session_revoked" {
		m.OrderID, m.Reason = "", "password"
	}
	if kind == "password_reset" {
		m.Token = "…"
	}
	return m
}
