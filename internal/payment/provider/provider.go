// Package provider has the clients of payment providers: the card provider, the GNU Taler merchant backend, and the provider of slips
// for convenience stores.
package provider

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/points"
)

// lives is how long after the order was placed a customer can pay at a provider that wants to know. The shop closes the payment before,
// at the order's deadline.
const lives = 23 * time.Hour

// longestHold leaves an hour for the delays of checks.
const longestHold = lives - time.Hour

// Settings are those of functions that call providers.
type Settings struct {
	config.Shop
	config.Payments
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error { return cmp.Or(s.Shop.Check(), s.Payments.Check()) }

// CheckMethods returns an error that names PAYMENT_METHODS if it has a method that popup does not know, or whose provider
// can't be reached with the settings.
func CheckMethods(s Settings) error {
	for _, code := range s.PaymentMethods {
		m, ok := payment.MethodOf(code)
		if !ok {
			return fmt.Errorf("PAYMENT_METHODS=%s: must be some of %s", code, strings.Join(payment.Codes(), ", "))
		}
		if !s.Reaches(m.Provider) {
			return fmt.Errorf("PAYMENT_METHODS=%s: the settings of %s are missing", code, m.Provider)
		}
		if s.Production && m.Simulated {
			return fmt.Errorf("PAYMENT_METHODS=%s: PRODUCTION refuses simulated payments", code)
		}
		if (m.Provider == "card" || m.Provider == "taler") && s.HoldTime > longestHold {
			return fmt.Errorf("HOLD_TIME=%s: must be at most %s with %s", s.HoldTime, longestHold, m.Provider)
		}
	}
	return nil
}

// Of returns the provider of every method. A method that the shop no longer offers still has one: its payments are
// refunded through it.
func Of(s Settings) payment.Providers {
	byName := map[string]payment.Provider{
		"simulated":           payment.Simulated{Success: s.SimulatedSuccess},
		"paypay":              payment.Simulated{Wallet: "paypay", Success: s.SimulatedSuccess},
		"rakuten_pay":         payment.Simulated{Wallet: "rakuten_pay", Success: s.SimulatedSuccess},
		"card":                NewCard(s.Payments),
		"taler":               NewTaler(s.Payments),
		payment.PreAuthorised: payment.Authorised{},
		"konbini":             NewSlips(s.Payments),
	}
	providers := payment.Providers{payment.Nothing: payment.Free{}, points.Method: payment.Free{}}
	for _, m := range payment.Methods() {
		providers[m.Code] = byName[m.Provider]
	}
	return providers
}
