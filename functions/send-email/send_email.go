// Package sendemail writes one mail per order and kind and hands it to the mail server, at most once. What a mail says is
// read from the order when it is written; the event only says that it is time.
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
	"github.com/popup-shop/popup/internal/order"
)

const name = "send-email"

// maxTries is after how many tries a mail is given up: two days, as the ledger's tries slow down to hourly.
const maxTries = 50

// Settings are those that the function needs.
type Settings struct {
	config.Mail
	config.Public
}

// New declares the function. It calls the mail server.
func New(settings Settings) (f function.Function) {
	post := &post{settings: settings}
	return function.Function{
		Name: name,
		On: []function.Handler{
			mailOn(post, kind[events.PaymentCreated]("payment_created")),
			mailOn(post, kind[events.PaymentPaid]("payment_paid")),
			mailOn(post, kind[events.OrderShipped]("order_shipped")),
			mailOn(post, advanced),
			mailOn(post, kind[events.OrderRejected]("order_rejected")),
			mailOn(post, kind[events.OrderExpired]("order_expired")),
			mailOn(post, kind[events.OrderCancelled]("order_cancelled")),
			mailOn(post, kind[events.PaymentRefunded]("payment_refunded")),
			mailOn(post, kind[events.RefundFailed]("staff_refund")),
			mailOn(post, kind[events.OrderStalled]("staff_stalled")),
			sendOn(post, function.EachCall(prepareNotice)),
		},
		Emits:  []events.Event{events.MailSent{}, events.MailFailed{}},
		Writes: []string{"mail.mails"},
	}
}

// kind names the mail that an event leads to; "" if it leads to none.
func kind[E events.Event](name string) func(E) string { return func(E) string { return name } }

// advanced names the mail of a step on an order's way; most have none.
func advanced(e events.OrderAdvanced) string {
	switch order.Status(e.To) {
	case order.ReadyForPickup, order.FailedDelivery:
		return e.To
	}
	return ""
}

type call[E events.Event] = function.Call[E, letter, struct{}]

// mailOn declares the handler of an event about an order: take the mail's row, send, note. A mail whose row says that it is being
// sent when no handling sends it, or whose server never responded after it had it all, may have left or not: it is shown to staff
// and never sent by a machine again.
func mailOn[E events.Event](post *post, kindOf func(E) string) function.Handler {
	return sendOn(post, func(ctx context.Context, tx pgx.Tx, batch []*call[E]) error {
		var mails []wanted
		for _, d := range batch {
			kind := kindOf(d.Event)
			if kind == "" {
				continue
			}
			mailID, err := id.Derive(name, d.Event.About().OrderID, kind)
			if err != nil {
				return err
			}
			mails = append(mails, wanted{mailID, d.Event.About().OrderID, kind})
		}
		letters, err := takeLetters(ctx, tx, mails)
		if err != nil {
			return err
		}
		for _, d := range batch {
			d.Request = letters[d.Event.About().OrderID]
		}
		return nil
	})
}

// sendOn declares a handler that sends what prepare requests.
func sendOn[E events.Event](post *post, prepare func(context.Context, pgx.Tx, []*call[E]) error) function.Handler {
	return function.OnCall(function.ExternalCall[E, letter, struct{}]{
		Prepare: prepare,
		Call: func(ctx context.Context, _ string, l letter) (struct{}, error) {
			if l.GivenUp {
				return struct{}{}, nil
			}
			return struct{}{}, post.send(ctx, l)
		},
		Record: record[E],
		OnError: func(ctx context.Context, tx pgx.Tx, _ E, l letter, cause error) error {
			if errors.Is(cause, errUnsure) {
				return setStatus(ctx, tx, []string{l.MailID}, []string{"unknown"})
			}
			return setStatus(ctx, tx, []string{l.MailID}, []string{"waiting"})
		},
	})
}

// sendable returns a mail that this handling is to send, or nil.
func sendable(l letter, taken taken) (*letter, error) {
	switch {
	case taken.Busy:
		return nil, function.Unavailable(fmt.Errorf("mail %s is being sent", l.MailID))
	case taken.Status != "sending":
		return nil, nil
	}
	l.GivenUp = taken.Tries > maxTries
	return &l, nil
}

// record notes what was sent. A mail that is about no order leads to no event.
func record[E events.Event](ctx context.Context, tx pgx.Tx, batch []*call[E]) error {
	ids, statuses := make([]string, len(batch)), make([]string, len(batch))
	for i, d := range batch {
		l := *d.Request
		emitted := events.Event(events.MailSent{MailID: l.MailID, OrderID: l.OrderID, Kind: l.Kind})
		ids[i], statuses[i] = l.MailID, "sent"
		if l.GivenUp {
			statuses[i], emitted = "failed", events.MailFailed{MailID: l.MailID, OrderID: l.OrderID, Kind: l.Kind, Tries: maxTries}
		}
		if l.OrderID != "" {
			d.Emit(emitted)
		}
	}
	return setStatus(ctx, tx, ids, statuses)
}
