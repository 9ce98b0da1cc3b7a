package config

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Payments configures the payment providers.
type Payments struct {
	SlipTime       time.Duration `envconfig:"SLIP_TIME" default:"168h" desc:"how long a slip of a convenience store can be paid; whole days end with the day in Tokyo"`
	SlipGrace      time.Duration `envconfig:"SLIP_GRACE" default:"24h" desc:"how long stock stays held after the deadline of a slip: convenience stores report payments late"`
	PaymentSilence time.Duration `envconfig:"PAYMENT_SILENCE" default:"30s" desc:"interval after which the provider of an open payment is queried first"`
	Production     bool          `envconfig:"PRODUCTION" desc:"true: the start fails with default passwords, with plain text to the database or to a broker outside the cluster, and with simulated payments"`

	CardURL        string   `envconfig:"CARD_URL" default:"https://api.stripe.com" desc:"address of the card provider's API, in the form of Stripe's"`
	CardKey        string   `envconfig:"CARD_KEY" desc:"secret key of the card provider's API; without one cards are not offered"`
	CardSecrets    []string `envconfig:"CARD_WEBHOOK_SECRET" desc:"secrets of the card provider's notices, the present one first; several with commas"`
	TalerURL       string   `envconfig:"TALER_URL" desc:"address of the GNU Taler merchant backend, with the instance; none: Taler is not offered"`
	TalerToken     string   `envconfig:"TALER_TOKEN" desc:"access token of the backend, such as secret-token:…"`
	TalerSecrets   []string `envconfig:"TALER_WEBHOOK_SECRET" desc:"secrets of the backend's notices, the present one first; several with commas"`
	KonbiniURL     string   `envconfig:"KONBINI_URL" desc:"address of the provider of slips for convenience stores; none: slips are not offered"`
	KonbiniKey     string   `envconfig:"KONBINI_KEY" desc:"key of that provider's API"`
	KonbiniSecrets []string `envconfig:"KONBINI_WEBHOOK_SECRET" desc:"secrets of that provider's notices, the present one first; several with commas"`
}

// Check refuses settings that make no sense, by name. It never shows a secret.
func (p Payments) Check() error {
	switch {
	case p.SlipTime <= 0:
		return fmt.Errorf("SLIP_TIME=%s: must be above 0", p.SlipTime)
	case p.SlipGrace < 0:
		return fmt.Errorf("SLIP_GRACE=%s: must not be negative", p.SlipGrace)
	case p.PaymentSilence <= 0:
		return fmt.Errorf("PAYMENT_SILENCE=%s: must be above 0", p.PaymentSilence)
	}
	for name, address := range map[string]string{"CARD_URL": p.CardURL, "TALER_URL": p.TalerURL, "KONBINI_URL": p.KonbiniURL} {
		if at, err := url.Parse(address); address != "" && (err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https") {
			return errors.New(name + ": must be an address like https://pay.example.org") // it may hold a password
		} else if p.Production && at.Scheme == "http" && address != "" {
			return errors.New(name + ": PRODUCTION refuses plain text to payment providers")
		}
	}
	return nil
}

// Reaches reports whether a provider can be called. Those that need no outside service always can.
func (p Payments) Reaches(provider string) bool {
	switch provider {
	case "card":
		return p.CardKey != ""
	case "taler":
		return p.TalerURL != ""
	case "konbini":
		return p.KonbiniURL != ""
	}
	return true
}
