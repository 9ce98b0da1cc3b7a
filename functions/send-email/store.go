package sendemail

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/pgbatch"
)

// taken is a mail that was to be sent. Its status is sending when this handling is to send it, and unknown when another one began to
// and never noted how that ended.
type taken struct {
	Status string
	Tries  int
	Busy   bool // another handling is sending it right now
}

// sendingFor is after how long a mail that is being sent has certainly been left behind: asking for a connection, making
// one and sending take sendIn each at most. It is less than a Trigger takes for all its tries, so that such a mail is noted
// as unknown and not parked.
const sendingFor = 3*sendIn + time.Second

// wanted is a mail that is to be sent.
type wanted struct{ MailID, OrderID, Kind string }

// takeLetters takes for sending the one mail of each order and kind, and returns by order those that are to be sent, with what they
// tell: read from the order as it stands now.
func takeLetters(ctx context.Context, tx pgx.Tx, mails []wanted) (map[string]*letter, error) {
	if len(mails) == 0 {
		return nil, nil
	}
	ids, orders, kinds := make([]string, len(mails)), make([]string, len(mails)), make([]string, len(mails))
	for i, m := range mails {
		ids[i], orders[i], kinds[i] = m.MailID, m.OrderID, m.Kind
	}
	rows, err := tx.Query(ctx, `
		WITH taken AS (
			INSERT INTO mail.mails AS m (mail_id, order_id, kind, status, taken_by)
			SELECT mail_id, order_id, kind, 'sending', @taker::uuid
			FROM unnest(@ids::uuid[], @orders::uuid[], @kinds::text[]) AS wanted (mail_id, order_id, kind)
			ORDER BY order_id
			ON CONFLICT (order_id, kind) DO UPDATE SET
				status = CASE WHEN m.status = 'waiting' THEN 'sending'
					WHEN m.status = 'sending' AND m.taken_at < now() - @sending_for::interval THEN 'unknown'
					ELSE m.status END,
				taken_by = CASE WHEN m.status = 'waiting' THEN @taker::uuid ELSE m.taken_by END,
				taken_at = CASE WHEN m.status = 'waiting' THEN now() ELSE m.taken_at END,
				tries = m.tries + CASE WHEN m.status = 'waiting' THEN 1 ELSE 0 END
			RETURNING mail_id, order_id, kind, status, tries, status = 'sending' AND taken_by <> @taker::uuid AS busy
		)
		SELECT m.mail_id::text, m.order_id::text, m.kind, m.status, m.tries, m.busy,
			a.email, a.name, o.locale, o.order_number, o.status, o.reason, o.total_minor, o.currency, o.payment_method,
			coalesce(p.uri, ''), o.carrier, o.tracking_number,
			concat_ws(', ', nullif(a.address_line1, ''), nullif(a.address_line2, ''), nullif(a.postal_code, ''), nullif(a.city, ''),
				nullif(a.prefecture, ''), nullif(a.country, '')),
			(SELECT json_agg(json_build_object('name', product_name, 'quantity', quantity, 'total_minor', total_minor) ORDER BY line)
			FROM orders.lines l WHERE l.order_id = o.order_id)
		FROM taken m
		JOIN orders.orders o USING (order_id)
		JOIN orders.addresses a USING (order_id)
		LEFT JOIN payments.payments p ON p.order_id = o.order_id AND p.status = 'created'`,
		pgx.NamedArgs{"ids": ids, "orders": orders, "kinds": kinds, "taker": uuid.NewString(), "sending_for": sendingFor})
	if err != nil {
		return nil, fmt.Errorf("take %d mails: %w", len(mails), err)
	}
	letters := map[string]*letter{}
	var l letter
	var t taken
	_, err = pgx.ForEachRow(rows, []any{
		&l.MailID, &l.OrderID, &l.Kind, &t.Status, &t.Tries, &t.Busy,
		&l.To, &l.Name, &l.Locale, &l.Number, &l.Status, &l.Reason, &l.Total.Minor, &l.Total.Currency, &l.Method,
		&l.URI, &l.Carrier, &l.TrackingNumber, &l.Address, &l.Items,
	}, func() (err error) {
		letters[l.OrderID], err = sendable(l, t)
		l.Items = nil // those of the next mail are its own
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("take %d mails: %w", len(mails), err)
	}
	return letters, nil
}

// setStatus notes how the sending of mails ended.
func setStatus(ctx context.Context, tx pgx.Tx, ids, statuses []string) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		UPDATE mail.mails m SET status = ended.status, sent_at = CASE WHEN ended.status = 'sent' THEN now() END
		FROM unnest(@ids::uuid[], @statuses::text[]) AS ended (mail_id, status)
		WHERE m.mail_id = ended.mail_id`, pgx.NamedArgs{"ids": ids, "statuses": statuses})
	if err != nil {
		return fmt.Errorf("note how %d mails ended: %w", len(ids), err)
	}
	return nil
}
