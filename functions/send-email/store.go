package sendemail

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/pgbatch"
)

// claim is the state of a mail after an attempt to claim it: "sending" if this attempt is to send it, "unknown" if an
// earlier attempt started to send it and did not record how that ended.
type claim struct {
	Status string
	Tries  int
	Busy   bool // another attempt is sending it right now
	Today  int  // mails to the address today, if it is not that of the account that ordered
}

// abandonedAfter is the time after which an attempt that has not recorded its outcome has died: to reset a connection,
// to open one and to send take at most sendIn each. It is shorter than all retries of a Trigger, so that such a mail
// becomes unknown before its event is dead-lettered.
const abandonedAfter = 3*sendTimeout + time.Second

// mailKey identifies a mail to send.
type mailKey struct{ MailID, OrderID, Kind string }

// claimMails claims mails for sending, and returns those that this attempt is to send by order, with the current state
// of the order. Mails beyond the limit of an address become "limited".
func (p *mailer) claimMails(ctx context.Context, tx pgx.Tx, mails []mailKey) (map[string]*message, error) {
	if len(mails) == 0 {
		return nil, nil
	}
	var ids, orders, kinds []string
	for _, key := range mails {
		ids = append(ids, key.MailID)
		orders = append(orders, key.OrderID)
		kinds = append(kinds, key.Kind)
	}
	rows, err := tx.Query(ctx, claimStatement,
		pgx.NamedArgs{"ids": ids, "orders": orders, "kinds": kinds, "taker": uuid.NewString(), "sending_for": abandonedAfter})
	if err != nil {
		return nil, fmt.Errorf("claim %d mails: %w", len(mails), err)
	}
	claimed, limited, err := p.scanClaimed(rows)
	if err != nil {
		return nil, fmt.Errorf("claim %d mails: %w", len(mails), err)
	}
	if len(limited) > 0 {
		return claimed, setStatus(ctx, tx, limited, slices.Repeat([]string{"limited"}, len(limited)))
	}
	return claimed, nil
}

// claimStatement claims mails, counts those to addresses of strangers, and reads what the texts need.
const claimStatement = `
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
	), strangers AS (
		SELECT m.mail_id, sha256(convert_to(lower(a.email), 'UTF8')) AS address_hash
		FROM taken m
		JOIN orders.orders o USING (order_id)
		JOIN orders.addresses a USING (order_id)
		WHERE m.status = 'sending' AND m.tries = 1 AND NOT m.busy AND m.kind NOT LIKE 'staff%'
		AND NOT EXISTS (SELECT FROM accounts.users u WHERE u.user_id = o.customer_id AND lower(u.email) = lower(a.email))
	), counted AS (
		INSERT INTO mail.recipients AS r (address_hash, day, mails)
		SELECT address_hash, current_date, count(*) FROM strangers GROUP BY address_hash ORDER BY address_hash
		ON CONFLICT (address_hash) DO UPDATE SET day = excluded.day,
			mails = excluded.mails + CASE WHEN r.day = excluded.day THEN r.mails ELSE 0 END
		RETURNING address_hash, mails
	)
	SELECT m.mail_id::text, m.order_id::text, m.kind, m.status, m.tries, m.busy,
		coalesce((SELECT c.mails FROM strangers s JOIN counted c USING (address_hash) WHERE s.mail_id = m.mail_id), 0),
		a.email, a.name, o.locale, o.order_number, o.status, o.reason, o.total_minor, o.currency,
		o.subtotal_minor, o.delivery_fee_minor, o.tax_minor, o.payment_method,
		coalesce(p.uri, ''), o.carrier, o.tracking_number,
		concat_ws(', ', nullif(a.address_line1, ''), nullif(a.address_line2, ''), nullif(a.postal_code, ''), nullif(a.city, ''),
			nullif(a.prefecture, ''), nullif(a.region, ''), nullif(a.country, '')),
		(SELECT json_agg(json_build_object('name', product_name, 'quantity', quantity, 'total_minor', total_minor) ORDER BY line)
		FROM orders.lines l WHERE l.order_id = o.order_id)
	FROM taken m
	JOIN orders.orders o USING (order_id)
	JOIN orders.addresses a USING (order_id)
	LEFT JOIN LATERAL (
		SELECT uri FROM payments.payments WHERE order_id = o.order_id ORDER BY created_at DESC LIMIT 1
	) p ON true`

// scanClaimed returns the mails that this attempt is to send by order, and the ids of those beyond the limit of their address.
func (p *mailer) scanClaimed(rows pgx.Rows) (claimed map[string]*message, limited []string, err error) {
	claimed = map[string]*message{}
	var l message
	var t claim
	_, err = pgx.ForEachRow(rows, []any{
		&l.MailID, &l.OrderID, &l.Kind, &t.Status, &t.Tries, &t.Busy, &t.Today,
		&l.To, &l.Name, &l.Locale, &l.Number, &l.Status, &l.Reason, &l.Total.Minor, &l.Total.Currency,
		&l.Subtotal, &l.DeliveryFee, &l.Tax, &l.Method, &l.URI, &l.Carrier, &l.TrackingNumber, &l.Address, &l.Items,
	}, func() (err error) {
		if p.settings.Daily > 0 && t.Today > p.settings.Daily {
			limited = append(limited, l.MailID)
			return nil
		}
		claimed[l.OrderID], err = sendable(l, t)
		l.Items = nil // otherwise the next mail would share the array
		return err
	})
	return claimed, limited, err
}

// setStatus stores the new statuses of mails.
func setStatus(ctx context.Context, tx pgx.Tx, ids, statuses []string) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		UPDATE mail.mails m SET status = ended.status, sent_at = CASE WHEN ended.status = 'sent' THEN now() END
		FROM unnest(@ids::uuid[], @statuses::text[]) AS ended (mail_id, status)
		WHERE m.mail_id = ended.mail_id`, pgx.NamedArgs{"ids": ids, "statuses": statuses})
	if err != nil {
		return fmt.Errorf("store status of %d mails: %w", len(ids), err)
	}
	return nil
}
