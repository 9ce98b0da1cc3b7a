// Package receivewebhook serves POST /v1/webhooks/{provider}. It stores the signed notice of a payment provider, once, and
// emits provider.notified. check-payment then asks the provider: what a notice says is never taken as a fact.
package receivewebhook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/payment/provider"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const name = "receive-webhook"

// Settings configures the function.
type Settings struct {
	provider.Settings
	config.Access
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error { return cmp.Or(s.Settings.Check(), s.Access.Check()) }

// New returns the function.
func New(settings Settings) function.Function {
	r := receiver{provider.Of(settings.Settings)}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.Post("/v1/webhooks/{provider}", access.Credentials, http.StatusOK, r.receive),
		),
		Emits:  []events.Event{events.ProviderNotified{}},
		Writes: []string{"payments.notices"},
	}
}

type receiver struct{ providers payment.Providers }

// Request is the notice of a provider.
type Request struct {
	Provider  string `path:"provider" maxLength:"50" doc:"card, taler or konbini"`
	Stripe    string `header:"Stripe-Signature" maxLength:"1000" doc:"t=seconds,v1=hex: HMAC-SHA256 over the time, a dot and the body."`
	Signature string `header:"Popup-Signature" maxLength:"1000" doc:"The same, for providers that let the shop choose the header."`
	Body      json.RawMessage
	RawBody   []byte
}

// Answer is empty.
type Answer struct {
	Body struct {
		Received bool `json:"received"`
	}
}

// receive is called by payment providers. It responds with 401, without a reason, unless the notice is signed by the provider
// within the last five minutes. A notice that is not about a payment of the shop is stored and has no effect.
func (r receiver) receive(ctx context.Context, tx pgx.Tx, in *Request) (*Answer, []events.Event, error) {
	provider, ok := r.providers.Named(in.Provider)
	notifier, sends := provider.(payment.Notifier)
	if !ok || !sends {
		return nil, nil, problem.NotFound("provider")
	}
	if err := payment.Verify(notifier.NoticeSecrets(), cmp.Or(in.Stripe, in.Signature), in.RawBody, time.Now()); err != nil {
		return nil, nil, problem.New(http.StatusUnauthorized, "not-signed-in", "The notice is not signed by the provider.")
	}
	noticeID, kind, ref, err := notifier.ReadNotice(in.RawBody)
	if err != nil || noticeID == "" || max(len(noticeID), len(kind), len(ref)) > maxText {
		return nil, nil, problem.Invalid(problem.FieldError{Field: "body", Message: "is not a notice of the provider"})
	}
	answer := &Answer{}
	answer.Body.Received = true
	first, err := insertNotice(ctx, tx, in.Provider, noticeID, kind, ref)
	if err != nil || !first {
		return answer, nil, err
	}
	notified := events.ProviderNotified{Provider: in.Provider, NoticeID: noticeID, ProviderRef: ref}
	if ok, err := findPayment(ctx, tx, &notified); err != nil || !ok {
		return answer, nil, err
	}
	return answer, []events.Event{notified}, nil
}

// maxText is the longest id, kind or reference that a notice may have.
const maxText = 200

// insertNotice stores a notice and reports whether it is new.
func insertNotice(ctx context.Context, tx pgx.Tx, provider, noticeID, kind, ref string) (first bool, err error) {
	tag, err := tx.Exec(ctx, `
		INSERT INTO payments.notices (provider, notice_id, kind, provider_ref)
		VALUES (@provider, @notice_id, @kind, @ref)
		ON CONFLICT DO NOTHING`, pgx.NamedArgs{"provider": provider, "notice_id": noticeID, "kind": kind, "ref": ref})
	if err != nil {
		return false, fmt.Errorf("store notice of %s: %w", provider, err)
	}
	return tag.RowsAffected() == 1, nil
}

// findPayment fills in the payment that a notice is about; ok is false if it is none of the shop's.
func findPayment(ctx context.Context, tx pgx.Tx, n *events.ProviderNotified) (ok bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT payment_id::text, order_id::text FROM payments.named(@provider, @ref)`,
		pgx.NamedArgs{"provider": n.Provider, "ref": n.ProviderRef}).Scan(&n.PaymentID, &n.OrderID)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find payment of %s: %w", n.Provider, err)
	}
	return true, nil
}
