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

// New declares the function. It asks the mail server.
func New(settings Settings) (f function.Function) {
	post := &post{settings: settings}
	return function.Function{
		Name: name,
		On: []function.Handler{
			writing(post, always[events.PaymentCreated]("payment_created")),
			writing(post, always[events.PaymentPaid]("payment_paid")),
			writing(post, always[events.OrderShipped]("order_shipped")),
			writing(post, advanced),
			writing(post, always[events.OrderRejected]("order_rejected")),
			writing(post, always[events.OrderExpired]("order_expired")),
			writing(post, always[events.OrderCancelled]("order_cancelled")),
			writing(post, always[events.PaymentRefunded]("payment_refunded")),
			writing(post, always[events.RefundFailed]("staff_refund")),
			writing(post, always[events.OrderStalled]("staff_stalled")),
			asking(post, prepareNotice),
		},
		Emits:  []events.Event{events.MailSent{}, events.MailFailed{}},
		Writes: []string{"mail.mails"},
	}
}

func always[E events.Event](kind string) func(E) string { return func(E) string { return kind } }

// advanced names the mail of a step on an order's way; most have none.
func advanced(e events.OrderAdvanced) string {
	switch order.Status(e.To) {
	case order.ReadyForPickup, order.FailedDelivery:
		return e.To
	}
	return ""
}

// writing is the handling of one event: take the mail's row, send, note. A mail whose row says that it is being sent when
// nobody is sending it, or whose server never said that it took it, may have left or not: it is shown to staff and never
// sent by a machine again.
func writing[E events.Event](post *post, kindOf func(E) string) function.Handler {
	return asking(post, func(ctx context.Context, tx pgx.Tx, e E) (*letter, error) {
		kind := kindOf(e)
		if kind == "" {
			return nil, nil
		}
		return prepare(ctx, tx, e.About().OrderID, kind)
	})
}

func asking[E events.Event](post *post, prepare func(context.Context, pgx.Tx, E) (*letter, error)) function.Handler {
	return function.Ask(function.Asking[E, letter, struct{}]{
		Prepare: prepare,
		Call: func(ctx context.Context, _ string, l letter) (struct{}, error) {
			if l.GivenUp {
				return struct{}{}, nil
			}
			return struct{}{}, post.send(ctx, l)
		},
		Record: func(ctx context.Context, tx pgx.Tx, _ E, l letter, _ struct{}) ([]events.Event, error) {
			return record(ctx, tx, l)
		},
		Failed: func(ctx context.Context, tx pgx.Tx, _ E, l letter, cause error) error {
			if errors.Is(cause, errUnsure) {
				return setStatus(ctx, tx, l.MailID, "unknown")
			}
			return setStatus(ctx, tx, l.MailID, "waiting")
		},
	})
}

func prepare(ctx context.Context, tx pgx.Tx, orderID, kind string) (*letter, error) {
	mailID, err := id.Derive(name, orderID, kind)
	if err != nil {
		return nil, err
	}
	l, taken, err := takeLetter(ctx, tx, mailID, orderID, kind)
	if err != nil {
		return nil, err
	}
	return toSend(l, taken)
}

// toSend is a letter that is ours to send, or nothing.
func toSend(l letter, taken taken) (*letter, error) {
	switch {
	case taken.Busy:
		return nil, function.Away(fmt.Errorf("mail %s is being sent", l.MailID))
	case taken.Status != "sending":
		return nil, nil
	}
	l.GivenUp = taken.Tries > maxTries
	return &l, nil
}

func record(ctx context.Context, tx pgx.Tx, l letter) ([]events.Event, error) {
	status, said := "sent", events.Event(events.MailSent{MailID: l.MailID, OrderID: l.OrderID, Kind: l.Kind})
	if l.GivenUp {
		status, said = "failed", events.MailFailed{MailID: l.MailID, OrderID: l.OrderID, Kind: l.Kind, Tries: maxTries}
	}
	if l.OrderID == "" { // of no order: nobody follows it
		return nil, setStatus(ctx, tx, l.MailID, status)
	}
	return []events.Event{said}, setStatus(ctx, tx, l.MailID, status)
}
