package sendemail

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/mailtext"
)

// prepareNotice prepares a mail to a user whose sessions were revoked for security, once per session and reason.
func prepareNotice(ctx context.Context, tx pgx.Tx, d *call[events.SessionRevoked]) error {
	mailID, err := id.Derive(name, d.Event.SessionID, d.Event.Reason)
	if err != nil {
		return err
	}
	l := mailtext.Message{MailID: mailID, Kind: "session_revoked", Reason: d.Event.Reason}
	err = tx.QueryRow(ctx, `
		SELECT email, name, locale FROM accounts.users WHERE user_id = @user_id AND closed_at IS NULL`,
		pgx.NamedArgs{"user_id": d.Event.CustomerID}).Scan(&l.To, &l.Name, &l.Locale)
	if errors.Is(err, pgx.ErrNoRows) { // the account was closed
		return nil
	}
	if err != nil {
		return fmt.Errorf("read user for mail %s: %w", mailID, err)
	}
	claim, err := claimNotice(ctx, tx, mailID, d.Event.SessionID, l.Kind+" "+l.Reason)
	if err != nil {
		return err
	}
	d.Request, err = sendable(l, claim)
	return err
}

// prepareReset prepares a mail with a link to set a new password. The token of the link is made here and is in no other place; the
// database has its hash.
func prepareReset(ctx context.Context, tx pgx.Tx, d *call[events.PasswordForgotten]) error {
	const kind = "password_reset"
	mailID, err := id.Derive(name, d.Event.ResetID, kind)
	if err != nil {
		return err
	}
	claim, err := claimNotice(ctx, tx, mailID, d.Event.ResetID, kind)
	if err != nil {
		return err
	}
	l := mailtext.Message{MailID: mailID, Kind: kind, Token: rand.Text() + rand.Text()}
	if d.Request, err = sendable(l, claim); err != nil || d.Request == nil {
		return err
	}
	hash := sha256.Sum256([]byte(l.Token))
	err = tx.QueryRow(ctx, `
		SELECT email, name, locale FROM accounts.arm_reset(@reset_id, @hash)`,
		pgx.NamedArgs{"reset_id": d.Event.ResetID, "hash": hash[:]}).Scan(&d.Request.To, &d.Request.Name, &d.Request.Locale)
	if errors.Is(err, pgx.ErrNoRows) { // no account has the address, or the request has expired
		d.Request = nil
		return dropNotice(ctx, tx, mailID)
	}
	if err != nil {
		return fmt.Errorf("prepare mail %s: %w", mailID, err)
	}
	return nil
}

// dropNotice deletes a mail that is not to be sent.
func dropNotice(ctx context.Context, tx pgx.Tx, mailID string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM mail.mails WHERE mail_id = @mail_id`, pgx.NamedArgs{"mail_id": mailID}); err != nil {
		return fmt.Errorf("drop mail %s: %w", mailID, err)
	}
	return nil
}

// claimNotice claims a mail that is not about an order. Its row has the id of another object in the place of the order's.
func claimNotice(ctx context.Context, tx pgx.Tx, mailID, about, kind string) (t claim, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO mail.mails AS m (mail_id, order_id, kind, status, taken_by)
		VALUES (@mail_id, @about, @kind, 'sending', @taker::uuid)
		ON CONFLICT (order_id, kind) DO UPDATE SET
			status = CASE WHEN m.status = 'waiting' THEN 'sending'
				WHEN m.status = 'sending' AND m.taken_at < now() - @sending_for::interval THEN 'unknown'
				ELSE m.status END,
			taken_by = CASE WHEN m.status = 'waiting' THEN @taker::uuid ELSE m.taken_by END,
			taken_at = CASE WHEN m.status = 'waiting' THEN now() ELSE m.taken_at END,
			tries = m.tries + CASE WHEN m.status = 'waiting' THEN 1 ELSE 0 END
		RETURNING status, tries, status = 'sending' AND taken_by <> @taker::uuid AS busy`, pgx.NamedArgs{
		"mail_id": mailID, "about": about, "kind": kind, "taker": uuid.NewString(), "sending_for": abandonedAfter,
	}).Scan(&t.Status, &t.Tries, &t.Busy)
	if err != nil {
		return t, fmt.Errorf("claim mail %s: %w", mailID, err)
	}
	return t, nil
}
