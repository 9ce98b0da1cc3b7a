package sendemail

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
)

// prepareNotice prepares a mail to a user whose sessions were revoked for security, once per session and reason.
func prepareNotice(ctx context.Context, tx pgx.Tx, d *call[events.SessionRevoked]) error {
	mailID, err := id.Derive(name, d.Event.SessionID, d.Event.Reason)
	if err != nil {
		return err
	}
	l, claim, err := claimNotice(ctx, tx, mailID, d.Event)
	if errors.Is(err, pgx.ErrNoRows) { // the account was closed
		return nil
	}
	if err != nil {
		return fmt.Errorf("claim mail %s: %w", mailID, err)
	}
	d.Request, err = sendable(l, claim)
	return err
}

// claimNotice claims the mail about a session and a reason. Its row has the session id in the place of the order id.
func claimNotice(
	ctx context.Context, tx pgx.Tx, mailID string, revoked events.SessionRevoked,
) (l message, t claim, err error) {
	l.MailID, l.Kind, l.Reason = mailID, "session_revoked", revoked.Reason
	err = tx.QueryRow(ctx, `
		WITH taken AS (
			INSERT INTO mail.mails AS m (mail_id, order_id, kind, status, taken_by)
			SELECT @mail_id, @session_id, 'session_revoked ' || @reason, 'sending', @taker::uuid
			FROM accounts.users WHERE user_id = @user_id AND closed_at IS NULL
			ON CONFLICT (order_id, kind) DO UPDATE SET
				status = CASE WHEN m.status = 'waiting' THEN 'sending'
					WHEN m.status = 'sending' AND m.taken_at < now() - @sending_for::interval THEN 'unknown'
					ELSE m.status END,
				taken_by = CASE WHEN m.status = 'waiting' THEN @taker::uuid ELSE m.taken_by END,
				taken_at = CASE WHEN m.status = 'waiting' THEN now() ELSE m.taken_at END,
				tries = m.tries + CASE WHEN m.status = 'waiting' THEN 1 ELSE 0 END
			RETURNING status, tries, status = 'sending' AND taken_by <> @taker::uuid AS busy
		)
		SELECT m.status, m.tries, m.busy, u.email, u.name, u.locale
		FROM taken m
		CROSS JOIN accounts.users u
		WHERE u.user_id = @user_id`, pgx.NamedArgs{
		"mail_id": mailID, "session_id": revoked.SessionID, "user_id": revoked.CustomerID, "reason": revoked.Reason,
		"taker": uuid.NewString(), "sending_for": abandonedAfter,
	}).Scan(&t.Status, &t.Tries, &t.Busy, &l.To, &l.Name, &l.Locale)
	return l, t, err
}
