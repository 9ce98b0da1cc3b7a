// Package functions lists all functions of the shop. Only programs that contain all of them, and tests, import it.
package functions

import (
	"cmp"
	"crypto/ed25519"
	"embed"

	"github.com/popup-shop/popup/config"
	carryshipment "github.com/popup-shop/popup/functions/carry-shipment"
	checkpayment "github.com/popup-shop/popup/functions/check-payment"
	closeorder "github.com/popup-shop/popup/functions/close-order"
	completeorder "github.com/popup-shop/popup/functions/complete-order"
	createpayment "github.com/popup-shop/popup/functions/create-payment"
	editcatalogue "github.com/popup-shop/popup/functions/edit-catalogue"
	followshipment "github.com/popup-shop/popup/functions/follow-shipment"
	keeptime "github.com/popup-shop/popup/functions/keep-time"
	movestock "github.com/popup-shop/popup/functions/move-stock"
	placeorder "github.com/popup-shop/popup/functions/place-order"
	receivewebhook "github.com/popup-shop/popup/functions/receive-webhook"
	reconcilepayments "github.com/popup-shop/popup/functions/reconcile-payments"
	refundpayment "github.com/popup-shop/popup/functions/refund-payment"
	releasestock "github.com/popup-shop/popup/functions/release-stock"
	reservestock "github.com/popup-shop/popup/functions/reserve-stock"
	returnpoints "github.com/popup-shop/popup/functions/return-points"
	sendemail "github.com/popup-shop/popup/functions/send-email"
	serveaccounts "github.com/popup-shop/popup/functions/serve-accounts"
	servebaskets "github.com/popup-shop/popup/functions/serve-baskets"
	servecatalogue "github.com/popup-shop/popup/functions/serve-catalogue"
	servedelivery "github.com/popup-shop/popup/functions/serve-delivery"
	serveevents "github.com/popup-shop/popup/functions/serve-events"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	serveorders "github.com/popup-shop/popup/functions/serve-orders"
	servepayments "github.com/popup-shop/popup/functions/serve-payments"
	servepoints "github.com/popup-shop/popup/functions/serve-points"
	servestock "github.com/popup-shop/popup/functions/serve-stock"
	serveweb "github.com/popup-shop/popup/functions/serve-web"
	settlepoints "github.com/popup-shop/popup/functions/settle-points"
	shiporder "github.com/popup-shop/popup/functions/ship-order"
	storedeadletter "github.com/popup-shop/popup/functions/store-dead-letter"
	sweepevents "github.com/popup-shop/popup/functions/sweep-events"
	tidyshop "github.com/popup-shop/popup/functions/tidy-shop"
	trackorder "github.com/popup-shop/popup/functions/track-order"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/payment/provider"
)

// Manifests are the Services and Triggers of all functions, one file each.
//
//go:embed */service.yaml
var Manifests embed.FS

// Settings configures all functions.
type Settings struct {
	config.Shop
	config.Access
	config.Signing
	config.Mail
	config.Pictures
	config.Gateway
	config.Pages
	config.Payments
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error {
	_, err := s.Signing.Keys()
	return cmp.Or(err, s.Shop.Check(), s.Access.Check(), s.Pictures.Check(), s.Gateway.Check(), s.Pages.Check(),
		s.Payments.Check(), provider.CheckMethods(s.providers()))
}

func (s Settings) providers() provider.Settings {
	return provider.Settings{Shop: s.Shop, Payments: s.Payments}
}

// UseKey sets the only key that signs and verifies tokens.
func (s *Settings) UseKey(key ed25519.PrivateKey) {
	secret, public := config.KeySettings(key)
	s.TokenKeys, s.TokenPublicKeys = []string{secret}, []string{public}
}

// All lists the functions.
func All(s Settings) []function.Function {
	return []function.Function{
		servegateway.New(servegateway.Settings{Gateway: s.Gateway, Access: s.Access}),
		placeorder.New(placeorder.Settings{Shop: s.Shop, Access: s.Access}),
		serveorders.New(serveorders.Settings{Shop: s.Shop, Access: s.Access}),
		servedelivery.New(servedelivery.Settings{Shop: s.Shop, Access: s.Access}),
		serveaccounts.New(serveaccounts.Settings{Access: s.Access, Signing: s.Signing}),
		servecatalogue.New(servecatalogue.Settings{Access: s.Access, PictureURL: s.PictureURL}),
		editcatalogue.New(editcatalogue.Settings{Access: s.Access, Pictures: s.Pictures}),
		servestock.New(s.Access),
		servepoints.New(servepoints.Settings{Shop: s.Shop, Access: s.Access}),
		serveevents.New(s.Access),
		servepayments.New(servepayments.Settings{Shop: s.Shop, Access: s.Access}),
		receivewebhook.New(receivewebhook.Settings{Settings: s.providers(), Access: s.Access}),
		servebaskets.New(servebaskets.Settings{Shop: s.Shop, Access: s.Access}),
		serveweb.New(serveweb.Settings{Access: s.Access, Pages: s.Pages, PictureURL: s.PictureURL}),
		reservestock.New(),
		releasestock.New(),
		movestock.New(),
		createpayment.New(createpayment.Settings{Settings: s.providers(), Public: s.Public}),
		checkpayment.New(s.providers()),
		reconcilepayments.New(s.providers()),
		refundpayment.New(s.providers()),
		returnpoints.New(s.Shop),
		settlepoints.New(s.Shop),
		trackorder.New(s.Shop),
		closeorder.New(),
		completeorder.New(),
		shiporder.New(s.Shop),
		carryshipment.New(s.Shop),
		followshipment.New(s.Shop),
		sendemail.New(sendemail.Settings{Mail: s.Mail, Public: s.Public}),
		keeptime.New(),
		sweepevents.New(),
		storedeadletter.New(),
		tidyshop.New(),
	}
}
