package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

type mailCommand struct {
	List mailList `cmd:"" default:"withargs" help:"List mails that were not sent, or whose outcome is unknown."`
	Send mailSend `cmd:"" help:"Send mails again."`
}

type mailList struct {
	database
	Status string `default:"" enum:",sending,waiting,sent,failed,unknown,limited" help:"List only mails with this status: sending, waiting, sent, failed, unknown or limited."`
	JSON   bool   `name:"json" help:"Print one JSON object per line."`
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
func (c *mailList) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	mails, err := listMails(ctx, pool, c.Status)
	if err != nil {
		return err
	}
	if c.JSON {
		return encode(mails)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tTIME\tORDER\tKIND\tSTATUS\tTRIES")
	for _, m := range mails {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\n", m.ID, m.Time.Local().Format(time.DateTime), m.Order, m.Kind, m.Status, m.Tries)
	}
	return table.Flush()
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

type mailSend struct {
	database
	ID []string `arg:"" help:"Their ids in the list."`
}

// Run has send-email handle the events of mails once more.
func (c *mailSend) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	for _, mailID := range c.ID {
		if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return sendAgain(ctx, tx, mailID) }); err != nil {
			return fmt.Errorf("send mail %s: %w", mailID, err)
		}
	}
	fmt.Printf("%d mails are sent again.\n", len(c.ID))
	return nil
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
