package sendemail

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/function"
)

// taken is a mail that was asked for. Its status is sending when it is ours to send, and unknown when somebody began to
// send it and never said how that ended.
type taken struct {
	Status string
	Tries  int
	Busy   bool // somebody is sending it right now
}

// sendingFor is after how long a mail that is being sent has certainly been left behind: asking for a connection, making
// one and sending take sendIn each at most. It is less than a Trigger takes for all its tries, so that such a mail is noted
// as unknown and not parked.
const sendingFor = 3*sendIn + time.Second

// takeLetter takes the one mail of an order and kind for sending, and reads what it tells from the order as it stands now.
func takeLetter(ctx context.Context, tx pgx.Tx, mailID, orderID, kind string) (l letter, t taken, err error) {
	l.MailID, l.OrderID, l.Kind = mailID, orderID, kind
	err = tx.QueryRow(ctx, `
		WITH taken AS (
			INSERT INTO mail.mails AS m (mail_id, order_id, kind, status, taken_by)
			VALUES (@mail_id, @order_id, @kind, 'sending', @taker::uuid)
			ON CONFLICT (order_id, kind) DO UPDATE SET
				status = CASE WHEN m.status = 'waiting' THEN 'sending'
					WHEN m.status = 'sending' AND m.taken_at < now() - @sending_for::interval THEN 'unknown'
					ELSE m.status END,
				taken_by = CASE WHEN m.status = 'waiting' THEN @taker::uuid ELSE m.taken_by END,
				taken_at = CASE WHEN m.status = 'waiting' THEN now() ELSE m.taken_at END,
				tries = m.tries + CASE WHEN m.status = 'waiting' THEN 1 ELSE 0 END
			RETURNING order_id, status, tries, status = 'sending' AND taken_by <> @taker::uuid AS busy
		)
		SELECT m.status, m.tries, m.busy,
			a.email, a.name, o.locale, o.order_number, o.status, o.reason, o.total_minor, o.currency, o.payment_method,
			coalesce(p.uri, ''), o.carrier, o.tracking_number,
			concat_ws(', ', nullif(a.address_line1, ''), nullif(a.address_line2, ''), nullif(a.postal_code, ''), nullif(a.city, ''), nullif(a.prefecture, ''), nullif(a.country, '')),
			(SELECT json_agg(json_build_object('name', product_name, 'quantity', quantity, 'total_minor', total_minor) ORDER BY line)
			FROM orders.lines l WHERE l.order_id = o.order_id)
		FROM taken m
		JOIN orders.orders o USING (order_id)
		JOIN orders.addresses a USING (order_id)
		LEFT JOIN payments.payments p ON p.order_id = o.order_id AND p.status = 'created'`,
		pgx.NamedArgs{"mail_id": mailID, "order_id": orderID, "kind": kind, "taker": uuid.NewString(), "sending_for": sendingFor}).
		Scan(&t.Status, &t.Tries, &t.Busy,
			&l.To, &l.Name, &l.Locale, &l.Number, &l.Status, &l.Reason, &l.Total.Minor, &l.Total.Currency, &l.Method,
			&l.URI, &l.Carrier, &l.TrackingNumber, &l.Address, &l.Items)
	if err != nil {
		return l, t, fmt.Errorf("take mail %s: %w", mailID, err)
	}
	return l, t, nil
}

func setStatus(ctx context.Context, tx pgx.Tx, mailID, status string) error {
	err := function.Queue(ctx, tx, -1, `
		UPDATE mail.mails SET status = @status, sent_at = CASE WHEN @status = 'sent' THEN now() END
		WHERE mail_id = @mail_id`, pgx.NamedArgs{"mail_id": mailID, "status": status})
	if err != nil {
		return fmt.Errorf("note that mail %s is %s: %w", mailID, status, err)
	}
	return nil
}
