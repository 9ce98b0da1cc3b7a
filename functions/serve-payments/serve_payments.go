// Package servepayments serves how customers can pay, how payments stand, and refunds, which staff requests.
package servepayments

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-payments"

// ownerOrToken admits customers and callers with an order token. The database checks that the payment is theirs.
var ownerOrToken = access.Any(access.Customer, access.OrderToken)

// Settings configures the function.
type Settings struct {
	config.Shop
	config.Access
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error { return cmp.Or(s.Shop.Check(), s.Access.Check()) }

// New returns the function.
func New(settings Settings) function.Function {
	h := handler{payment.Enabled(settings.PaymentMethods)}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.Get("/v1/payment-methods", access.All, h.listMethods),
			web.Get("/v1/orders/{id}/payment", ownerOrToken, readOfOrder),
			web.PostIdempotent("/v1/authorisations", access.Customer, web.IdempotentCall[*AuthorisationRequest, string, AuthorisationAnswer]{
				Status: http.StatusCreated, Do: h.authorise, Show: showAuthorisation,
			}),
			web.List("/v1/authorisations", access.Customer, listAuthorisations),
			web.Get("/v1/authorisations/{id}", access.Customer, readAuthorisation),
			web.List("/v1/payments", access.Staff, listPayments),
			web.List("/v1/payments/suspense", access.Staff, listSuspense),
			web.List("/v1/payments/reconciliations", access.Staff, listReconciliations),
			web.Get("/v1/payments/{id}", ownerOrToken, readPayment),
			web.Get("/v1/payments/{id}/entries", access.Staff, listEntries),
			web.Post("/v1/payments/{id}/capture", ownerOrToken, http.StatusOK, capturePayment),
			web.PostIdempotent("/v1/payments/{id}/refunds", access.Staff, web.IdempotentCall[*RefundRequest, string, RefundAnswer]{
				Status: http.StatusAccepted, Do: requestRefund, Show: showRefund,
			}),
			web.Get("/v1/payments/{id}/refunds", access.Staff, listRefunds),
			web.Get("/v1/refunds/{id}", ownerOrToken, readRefund),
			web.Post("/v1/refunds/{id}/retry", access.Staff, http.StatusAccepted, retryRefund),
		),
		Emits:  []events.Event{events.RefundRequested{}, events.PaymentPaid{}},
		Locks:  []string{"orders.orders"},
		Writes: []string{"payments.refunds", "payments.authorisations", "payments.entries"},
	}
}

type handler struct{ methods []payment.Method }

// MethodsRequest selects methods of payment.
type MethodsRequest struct {
	Currency string `query:"currency" pattern:"^([A-Z]{3})?$" doc:"Only methods that take this currency." example:"JPY"`
	Language string `header:"Accept-Language" maxLength:"200"`
}

// Method is a way to pay.
type Method struct {
	Code     string        `json:"code" example:"card"`
	Name     string        `json:"name" doc:"In the language of the caller, English or Japanese."`
	Mode     string        `json:"mode" enum:"direct,deferred,pre-authorised" doc:"Direct: the outcome is known at once. Pre-authorised: the amount is set aside, and captured when the customer says so. Deferred: the customer pays afterwards, at the address or with the slip of the payment."`
	Currency string        `json:"currency,omitempty" doc:"The only currency that it takes; left out: any."`
	AtMost   *money.Amount `json:"at_most,omitempty" doc:"The highest total that it takes; left out: any."`
}

// MethodsAnswer is the methods that an order can be paid with.
type MethodsAnswer struct {
	Body struct {
		Items []Method `json:"items" nullable:"false"`
	}
}

func (h handler) listMethods(_ context.Context, _ web.Reader, in *MethodsRequest) (*MethodsAnswer, error) {
	answer := &MethodsAnswer{}
	answer.Body.Items = []Method{}
	language := problem.PreferredLanguage(in.Language)
	for _, m := range h.methods {
		if in.Currency != "" && !m.Takes(money.Amount{Currency: in.Currency}) {
			continue
		}
		shown := Method{Code: m.Code, Name: m.Name(language), Mode: string(m.Mode), Currency: m.Currency}
		if m.AtMost > 0 {
			shown.AtMost = &money.Amount{Minor: m.AtMost, Currency: m.Currency}
		}
		answer.Body.Items = append(answer.Body.Items, shown)
	}
	return answer, nil
}

// Slip is what a customer pays with in a convenience store.
type Slip struct {
	Number       string    `json:"number"`
	Confirmation string    `json:"confirmation"`
	Chain        string    `json:"chain" enum:"seven_eleven,lawson,family_mart,ministop,seicomart"`
	Deadline     time.Time `json:"deadline"`
}

// Payment is the payment of an order.
type Payment struct {
	ID          string       `json:"id" format:"uuid"`
	OrderID     string       `json:"order_id" format:"uuid"`
	OrderNumber string       `json:"order_number"`
	Method      string       `json:"method" example:"card"`
	Provider    string       `json:"provider" example:"card"`
	Status      string       `json:"status" enum:"opening,created,authorised,paid,failed,expired,voided,refunded"`
	Amount      money.Amount `json:"amount"`
	Captured    money.Amount `json:"captured"`
	Refunded    money.Amount `json:"refunded"`
	ProviderRef string       `json:"provider_ref,omitempty" doc:"What the provider calls it."`
	URI         string       `json:"uri,omitempty" doc:"Where to pay; left out once it is paid or closed."`
	Slip        *Slip        `json:"slip,omitempty" doc:"For payments in convenience stores; left out once it is paid or closed."`
	ExpiresAt   *time.Time   `json:"expires_at,omitempty" doc:"Until when the order waits for the money."`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
}

// PaymentRequest names a payment.
type PaymentRequest struct {
	ID         string `path:"id" format:"uuid"`
	OrderToken string `header:"Popup-Order-Token" maxLength:"100" doc:"For guests: gives access to this order."`
}

// OrderRequest names an order.
type OrderRequest struct {
	ID         string `path:"id" format:"uuid"`
	OrderToken string `header:"Popup-Order-Token" maxLength:"100" doc:"For guests: gives access to this order."`
}

// PaymentAnswer is a payment.
type PaymentAnswer struct{ Body Payment }

// PaymentsRequest selects a page of the payments, newest first.
type PaymentsRequest struct {
	web.Paging
	Status string `query:"status" enum:"opening,created,authorised,paid,failed,expired,voided,refunded"`
	Method string `query:"method" maxLength:"50"`
	From   string `query:"from" format:"date" doc:"First day, in UTC."`
	To     string `query:"to" format:"date" doc:"Last day, in UTC."`
}

// Entry is one thing that is known about the money of a payment. Entries are never changed.
type Entry struct {
	Kind        string       `json:"kind" enum:"created,authorised,captured,failed,expired,voided,refunded"`
	Amount      money.Amount `json:"amount"`
	ProviderRef string       `json:"provider_ref"`
	At          time.Time    `json:"at"`
}

// EntriesAnswer is all entries of a payment, the oldest first.
type EntriesAnswer struct {
	Body struct {
		Items []Entry `json:"items" nullable:"false"`
	}
}

// SuspenseRequest selects a page of the money in suspense, newest first.
type SuspenseRequest struct {
	web.Paging
	All bool `query:"all" doc:"Also what was given back."`
}

// Suspended is money that fits no payment.
type Suspended struct {
	PaymentID   string       `json:"payment_id" format:"uuid"`
	OrderID     string       `json:"order_id" format:"uuid"`
	OrderNumber string       `json:"order_number"`
	Provider    string       `json:"provider"`
	ProviderRef string       `json:"provider_ref"`
	Why         string       `json:"why" enum:"late,wrong,double" doc:"Late: the order had ended. Wrong: the amount, the currency or the order does not fit. Double: it was paid twice."`
	Expected    money.Amount `json:"expected"`
	Got         money.Amount `json:"got"`
	CameAt      time.Time    `json:"came_at"`
	ReturnedAt  *time.Time   `json:"returned_at,omitempty"`
}
