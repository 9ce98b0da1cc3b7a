// Package sendemail consumes the events of orders and payments that customers or staff get a mail about, and sends at
// most one mail per order and kind. The event only triggers the mail; its text comes from the current state of the
// order.
//
// A mail server does not know idempotency keys, so each mail has a row with a status. For order.shipped, for example:
//
//  1. A transaction sets the row to "sending". A redelivered event finds it there and sends nothing.
//  2. The mail is sent, outside of the transaction.
//  3. A second transaction sets "sent", or "waiting" if the server did not accept the mail: then a redelivery tries again.
//
// If the process dies after step 1, or the server's response is lost, the mail may have been sent or not. Its status
// becomes "unknown" and only staff can send it again.
package sendemail

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/mailtext"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/ordertoken"
)

const name = "send-email"

// maxTries is the number of attempts before a mail is given up. With the event store's backoff, which slows down to an
// hour, that is two days.
const maxTries = 50

// Settings configures the function.
type Settings struct {
	config.Mail
	config.Public
}

// New returns the function. It calls the mail server.
func New(settings Settings) (f function.Function) {
	mailer := &mailer{settings: settings, tokens: ordertoken.NewSource(`SELECT mail.token_key()`)}
	return function.Function{
		Name: name,
		On: []function.Handler{
			mailOn(mailer, payable),
			mailOn(mailer, kind[events.PaymentAuthorised]("payment_created")),
			mailOn(mailer, kind[events.PaymentPaid]("payment_paid")),
			mailOn(mailer, kind[events.OrderShipped]("order_shipped")),
			mailOn(mailer, advanced),
			mailOn(mailer, kind[events.OrderRejected]("order_rejected")),
			mailOn(mailer, kind[events.OrderExpired]("order_expired")),
			mailOn(mailer, kind[events.OrderCancelled]("order_cancelled")),
			mailOn(mailer, kind[events.PaymentRefunded]("payment_refunded")),
			mailOn(mailer, kind[events.RefundFailed]("staff_refund")),
			mailOn(mailer, kind[events.PaymentMismatched]("staff_mismatch")),
			mailOn(mailer, kind[events.OrderStalled]("staff_stalled")),
			sendOn(mailer, function.EachCall(prepareNotice)),
			sendOn(mailer, function.EachCall(prepareReset)),
			sendOn(mailer, mailer.prepareRequested),
		},
		Emits:  []events.Event{events.MailSent{}, events.MailFailed{}},
		Writes: []string{"mail.mails", "mail.recipients"},
	}
}

// kind returns a function that returns the kind of mail for an event; "" is for none.
func kind[E events.Event](name string) func(E) string { return func(E) string { return name } }

// advanced returns the kind of mail for a new status of an order; most have none.
func advanced(e events.OrderAdvanced) string {
	switch order.Status(e.To) {
	case order.ReadyForPickup, order.FailedDelivery:
		return e.To
	}
	return ""
}

// payable returns the kind of mail for a payment that the customer has to make. One that is made at once leads to no mail but that
// of the confirmed order.
func payable(e events.PaymentCreated) string {
	if e.URI == "" {
		return ""
	}
	return "payment_created"
}

// outcome is what came of a mail that the mail server was asked to take.
type outcome struct{ refused bool }

type call[E events.Event] = function.Call[E, mailtext.Message, outcome]

// mailOn returns the handler that sends mails about events of orders.
func mailOn[E events.Event](mailer *mailer, kindOf func(E) string) function.Handler {
	return sendOn(mailer, func(ctx context.Context, tx pgx.Tx, batch []*call[E]) error {
		var mails []mailKey
		for _, d := range batch {
			kind := kindOf(d.Event)
			if kind == "" {
				continue
			}
			mailID, err := id.Derive(name, d.Event.About().OrderID, kind)
			if err != nil {
				return err
			}
			mails = append(mails, mailKey{mailID, d.Event.About().OrderID, kind})
		}
		claimed, err := mailer.claimMails(ctx, tx, mails)
		if err != nil {
			return err
		}
		for _, d := range batch {
			d.Request = claimed[d.Event.About().OrderID]
		}
		return nil
	})
}

// prepareRequested claims the mails that staff asked to be sent again.
func (p *mailer) prepareRequested(ctx context.Context, tx pgx.Tx, batch []*call[events.MailRequested]) error {
	var mails []mailKey
	var ids, requests []string
	for _, d := range batch {
		mails = append(mails, mailKey{d.Event.MailID, d.Event.OrderID, d.Event.Kind})
		ids, requests = append(ids, d.Event.MailID), append(requests, d.Event.RequestID)
	}
	if err := takeUp(ctx, tx, ids, requests); err != nil {
		return err
	}
	claimed, err := p.claimMails(ctx, tx, mails)
	if err != nil {
		return err
	}
	for _, d := range batch {
		d.Request = claimed[d.Event.OrderID]
	}
	return nil
}

// sendOn returns a handler that sends the mails which prepare sets as requests.
func sendOn[E events.Event](mailer *mailer, prepare func(context.Context, pgx.Tx, []*call[E]) error) function.Handler {
	return function.OnCall(function.ExternalCall[E, mailtext.Message, outcome]{
		Prepare: prepare,
		Call: func(ctx context.Context, _ string, l mailtext.Message) (o outcome, err error) {
			if l.GivenUp {
				return o, nil
			}
			if err = mailer.send(ctx, l); errors.Is(err, errRefused) {
				return outcome{refused: true}, nil
			}
			return o, err
		},
		Record: record[E],
		OnError: func(ctx context.Context, tx pgx.Tx, _ E, l mailtext.Message, cause error) error {
			if errors.Is(cause, errDeliveryUnknown) {
				return setStatus(ctx, tx, []string{l.MailID}, []string{"unknown"})
			}
			return setStatus(ctx, tx, []string{l.MailID}, []string{"waiting"})
		},
	})
}

// sendable returns the mail if this attempt is to send it, or nil.
func sendable(l mailtext.Message, claim claim) (*mailtext.Message, error) {
	switch {
	case claim.Busy:
		return nil, function.Unavailable(fmt.Errorf("mail %s is being sent", l.MailID))
	case claim.Status != "sending":
		return nil, nil
	}
	l.Tries, l.GivenUp = claim.Tries, claim.Tries > maxTries
	return &l, nil
}

// record stores the outcome of mails and emits it. It emits nothing for a mail that is not about an order.
func record[E events.Event](ctx context.Context, tx pgx.Tx, batch []*call[E]) error {
	ids, statuses := make([]string, len(batch)), make([]string, len(batch))
	for i, d := range batch {
		l := *d.Request
		emitted := events.Event(events.MailSent{MailID: l.MailID, OrderID: l.OrderID, Kind: l.Kind})
		ids[i], statuses[i] = l.MailID, "sent"
		if l.GivenUp || d.Response.refused {
			statuses[i], emitted = "failed", events.MailFailed{MailID: l.MailID, OrderID: l.OrderID, Kind: l.Kind, Tries: min(l.Tries, maxTries)}
		}
		if l.OrderID != "" {
			d.Emit(emitted)
		}
	}
	return setStatus(ctx, tx, ids, statuses)
}
