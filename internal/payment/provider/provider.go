// Package provider calls those who move money: the card provider, the GNU Taler merchant backend, and the provider of slips
// for convenience stores.
package provider

import (
	"fmt"
	"strings"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/points"
)

// CheckMethods returns an error that names PAYMENT_METHODS if it has a method that popup does not know, or whose provider
// can't be reached with the settings.
func CheckMethods(shop config.Shop, s config.Payments) error {
	for _, code := range shop.PaymentMethods {
		m, ok := payment.MethodOf(code)
		if !ok {
			return fmt.Errorf("PAYMENT_METHODS=%s: must be some of %s", code, strings.Join(payment.Codes(), ", "))
		}
		if !s.Reaches(m.Provider) {
			return fmt.Errorf("PAYMENT_METHODS=%s: the settings of %s are missing", code, m.Provider)
		}
	}
	return nil
}

// Of returns the provider of every method. A method that the shop no longer offers still has one: its payments are
// refunded through it.
func Of(shop config.Shop, s config.Payments) payment.Providers {
	byName := map[string]payment.Provider{
		"simulated":   payment.Simulated{Success: shop.SimulatedSuccess},
		"paypay":      payment.Simulated{Wallet: "paypay", Success: shop.SimulatedSuccess},
		"rakuten_pay": payment.Simulated{Wallet: "rakuten_pay", Success: shop.SimulatedSuccess},
		"card":        NewCard(s),
		"taler":       NewTaler(s),
		"konbini":     NewSlips(s),
	}
	providers := payment.Providers{payment.Nothing: payment.Free{}, points.Method: payment.Free{}}
	for _, m := range payment.Methods() {
		providers[m.Code] = byName[m.Provider]
	}
	return providers
}
