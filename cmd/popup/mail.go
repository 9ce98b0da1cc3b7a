package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/printer"
)

type mailCommand struct {
	List mailList `cmd:"" default:"withargs" help:"List mails that were not sent, or whose outcome is unknown."`
	Show mailShow `cmd:"" help:"Show what became of a mail, or of all mails of an order."`
	Send mailSend `cmd:"" help:"Send mails again."`
}

type mailList struct {
	database
	Status string `default:"" enum:",sending,waiting,sent,failed,unknown,limited" help:"List only mails with this status: sending, waiting, sent, failed, unknown or limited."`
}

// orderMail is a mail about an order.
type orderMail struct {
	ID      string     `json:"id"`
	Time    time.Time  `json:"time"`
	Order   string     `json:"order"`
	Kind    string     `json:"kind"`
	Status  string     `json:"status"`
	Tries   int        `json:"tries"`
	SentAt  *time.Time `json:"sent_at,omitempty"`
	OrderID string     `json:"order_id"`
}

// Run lists mails.
func (c *mailList) Run(ctx context.Context, out *printer.Printer) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	mails, err := listMails(ctx, pool, c.Status)
	if err != nil {
		return err
	}
	return showMails(out, mails)
}

func showMails(out *printer.Printer, mails []orderMail) error {
	return printer.List(
		out, mails,
		printer.Column[orderMail]{Name: "id", Cell: func(m orderMail) any { return m.ID }},
		printer.Column[orderMail]{Name: "time", Cell: func(m orderMail) any { return m.Time }},
		printer.Column[orderMail]{Name: "order", Cell: func(m orderMail) any { return m.Order }},
		printer.Column[orderMail]{Name: "kind", Cell: func(m orderMail) any { return m.Kind }},
		printer.Column[orderMail]{Name: "status", Cell: func(m orderMail) any { return m.Status }},
		printer.Column[orderMail]{Name: "tries", Cell: func(m orderMail) any { return m.Tries }},
	)
}

// listMails returns the mails with a status, oldest first, or all that were not sent.
func listMails(ctx context.Context, pool *pgxpool.Pool, status string) ([]orderMail, error) {
	rows, err := pool.Query(ctx, `
		SELECT m.mail_id::text, m.created_at, coalesce(o.order_number, ''), m.kind, m.status, m.tries, m.sent_at, m.order_id::text
		FROM mail.mails m
		LEFT JOIN orders.orders o USING (order_id)
		WHERE @status = m.status OR @status = '' AND m.status <> 'sent'
		ORDER BY m.created_at, m.mail_id`, pgx.NamedArgs{"status": status})
	if err != nil {
		return nil, fmt.Errorf("list mails: %w", err)
	}
	mails, err := pgx.CollectRows(rows, pgx.RowToStructByPos[orderMail])
	if err != nil {
		return nil, fmt.Errorf("list mails: %w", err)
	}
	return mails, nil
}

type mailShow struct {
	database
	Mail string `arg:"" help:"Id of the mail, or id or number of the order."`
}

// Run shows mails.
func (c *mailShow) Run(ctx context.Context, out *printer.Printer) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	mails, err := findMails(ctx, pool, c.Mail)
	if err != nil {
		return err
	}
	return showMails(out, mails)
}

// findMails returns the mail with an id, or the mails of an order that is given by its id or number.
func findMails(ctx context.Context, pool *pgxpool.Pool, name string) ([]orderMail, error) {
	rows, err := pool.Query(ctx, `
		SELECT m.mail_id::text, m.created_at, coalesce(o.order_number, ''), m.kind, m.status, m.tries, m.sent_at, m.order_id::text
		FROM mail.mails m
		LEFT JOIN orders.orders o USING (order_id)
		WHERE lower(@name) IN (m.mail_id::text, m.order_id::text, lower(o.order_number))
		ORDER BY m.created_at, m.mail_id`, pgx.NamedArgs{"name": name})
	if err != nil {
		return nil, fmt.Errorf("find mails: %w", err)
	}
	mails, err := pgx.CollectRows(rows, pgx.RowToStructByPos[orderMail])
	if err != nil {
		return nil, fmt.Errorf("find mails: %w", err)
	}
	if len(mails) == 0 {
		return nil, fmt.Errorf("there is no mail %q, and no mail of such an order", name)
	}
	return mails, nil
}

type mailSend struct {
	database
	ID []string `arg:"" help:"Their ids in the list; of an order, its id or number, all mails that were not sent."`
}

// Run has send-email handle the events of mails once more.
func (c *mailSend) Run(ctx context.Context, out *printer.Printer) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	var ids []string
	for _, name := range c.ID {
		found, err := unsent(ctx, pool, name)
		if err != nil {
			return err
		}
		ids = append(ids, found...)
	}
	for _, mailID := range ids {
		if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return sendAgain(ctx, tx, mailID) }); err != nil {
			return fmt.Errorf("send mail %s: %w", mailID, err)
		}
	}
	return out.Done(map[string][]string{"sent_again": ids}, "%d mails are sent again.", len(ids))
}

// unsent returns the ids of the mails of an order that were not sent, or the id of a mail.
func unsent(ctx context.Context, pool *pgxpool.Pool, name string) (ids []string, err error) {
	mails, err := findMails(ctx, pool, name)
	if err != nil {
		return nil, err
	}
	for _, m := range mails {
		if m.ID == strings.ToLower(name) || m.Status != "sent" && m.Status != "sending" {
			ids = append(ids, m.ID)
		}
	}
	return ids, nil
}

var errNotSendable = errors.New("it does not exist, or it was sent or is being sent")

// sendAgain makes a mail wait to be sent, and has its event delivered again. A mail that is being sent or was sent stays as it is.
func sendAgain(ctx context.Context, tx pgx.Tx, mailID string) error {
	tag, err := tx.Exec(ctx, `
		WITH again AS (
			UPDATE mail.mails SET status = 'waiting', tries = 1
			WHERE mail_id::text = @mail_id AND status IN ('unknown', 'failed', 'limited', 'waiting')
			RETURNING order_id, kind
		), cause AS (
			SELECT e.event_id, e.created_at
			FROM again a
			JOIN bus.event e ON e.order_id = a.order_id OR split_part(a.kind, ' ', 1) = 'session_revoked' AND e.type = 'session.revoked'
				AND e.data->>'session_id' = a.order_id::text
			WHERE e.type = CASE
				WHEN a.kind IN ('ready_for_pickup', 'failed_delivery') THEN 'order.advanced'
				WHEN a.kind = 'staff_refund' THEN 'refund.failed'
				WHEN a.kind = 'staff_mismatch' THEN 'payment.mismatched'
				WHEN a.kind = 'staff_stalled' THEN 'order.stalled'
				ELSE replace(split_part(a.kind, ' ', 1), '_', '.') END
			AND (e.type <> 'order.advanced' OR e.data->>'to' = a.kind)
			ORDER BY e.created_at DESC
			LIMIT 1
		), forgotten AS (
			DELETE FROM bus.inbox i USING cause c
			WHERE i.event_id = c.event_id AND i.consumer = 'send-email'
		)
		INSERT INTO bus.undelivered (event_id, consumer, created_at)
		SELECT event_id, 'send-email', now() FROM cause
		ON CONFLICT (event_id, consumer) DO UPDATE SET next_at = now()`, pgx.NamedArgs{"mail_id": mailID})
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return errNotSendable
	}
	return nil
}
