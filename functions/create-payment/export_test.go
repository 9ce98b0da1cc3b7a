package createpayment

import (
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/payment/provider"
)

// With returns the function with the providers of a test.
func With(providers payment.Providers) function.Function {
	return newFunction(Settings{
		Settings: provider.Settings{Shop: config.Shop{HoldTime: time.Hour}, Payments: config.Payments{PaymentSilence: time.Minute}},
		Public:   config.Public{PublicURL: "https://shop.test"},
	}, providers)
}
