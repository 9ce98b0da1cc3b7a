package sendemail

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// taken is a mail that was asked for. Its status is sending when it is ours to send, and unknown when somebody began to
// send it and never said how that ended.
type taken struct {
	Status string
	Tries  int
	Busy   bool // somebody is sending it right now
}

// sendingFor is after how long a mail that is being sent has certainly been left behind.
const sendingFor = 2 * sendIn

// takeMail takes the one mail of an order and kind for sending.
func takeMail(ctx context.Context, tx pgx.Tx, mailID, orderID, kind string) (t taken, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO mail.mails AS m (mail_id, order_id, kind, status)
		VALUES (@mail_id, @order_id, @kind, 'sending')
		ON CONFLICT (order_id, kind) DO UPDATE SET
			status = CASE WHEN m.status = 'waiting' THEN 'sending'
				WHEN m.status = 'sending' AND m.taken_at < now() - @sending_for::interval THEN 'unknown'
				ELSE m.status END,
			taken_at = CASE WHEN m.status = 'waiting' THEN now() ELSE m.taken_at END,
			tries = m.tries + CASE WHEN m.status = 'waiting' THEN 1 ELSE 0 END
		RETURNING status, tries, status = 'sending' AND taken_at < now()`,
		pgx.NamedArgs{"mail_id": mailID, "order_id": orderID, "kind": kind, "sending_for": sendingFor}).
		Scan(&t.Status, &t.Tries, &t.Busy)
	if err != nil {
		return t, fmt.Errorf("take mail %s: %w", mailID, err)
	}
	return t, nil
}

func setStatus(ctx context.Context, tx pgx.Tx, mailID, status string) error {
	_, err := tx.Exec(ctx, `
		UPDATE mail.mails SET status = @status, sent_at = CASE WHEN @status = 'sent' THEN now() END
		WHERE mail_id = @mail_id`, pgx.NamedArgs{"mail_id": mailID, "status": status})
	if err != nil {
		return fmt.Errorf("note that mail %s is %s: %w", mailID, status, err)
	}
	return nil
}

// readLetter reads what a mail tells from the order as it stands now.
func readLetter(ctx context.Context, tx pgx.Tx, orderID, kind string) (letter, error) {
	l := letter{Kind: kind, OrderID: orderID}
	err := tx.QueryRow(ctx, `
		SELECT a.email, a.name, o.locale, o.order_number, o.status, o.reason, o.total_minor, o.currency, o.payment_method,
			coalesce(p.uri, ''), o.carrier, o.tracking_number,
			concat_ws(', ', nullif(a.address_line1, ''), nullif(a.address_line2, ''), nullif(a.postal_code, ''), nullif(a.city, ''), nullif(a.prefecture, ''), nullif(a.country, '')),
			(SELECT json_agg(json_build_object('name', product_name, 'quantity', quantity, 'total_minor', total_minor) ORDER BY line)
			FROM orders.lines l WHERE l.order_id = o.order_id)
		FROM orders.orders o
		JOIN orders.addresses a USING (order_id)
		LEFT JOIN payments.payments p ON p.order_id = o.order_id AND p.status = 'created'
		WHERE o.order_id = @order_id`, pgx.NamedArgs{"order_id": orderID}).
		Scan(&l.To, &l.Name, &l.Locale, &l.Number, &l.Status, &l.Reason, &l.Total.Minor, &l.Total.Currency, &l.Method,
			&l.URI, &l.Carrier, &l.TrackingNumber, &l.Address, &l.Items)
	if err != nil {
		return l, fmt.Errorf("read order %s for its mail: %w", orderID, err)
	}
	return l, nil
}
