package tidyshop

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// batchSize is the maximum of rows that a statement deletes.
const batchSize = 50_000

// expiry is which rows of a table are deleted, and by which key.
type expiry struct{ remove, key, when string }

var expiries = []expiry{
	// Baskets with their lines, except those of open orders, which may be restored.
	{`DELETE FROM orders.baskets`, `basket_id`, `expires_at < now() AND NOT EXISTS (
		SELECT FROM orders.orders o WHERE o.order_id = baskets.order_id AND o.deadline IS NOT NULL)`},
	{`DELETE FROM bus.idempotency`, `caller, route, key`, `created_at < now() - interval '7 days'`},
	// Sessions with their spent tokens. Until then they are part of the user's data.
	{`DELETE FROM accounts.sessions`, `session_id`, `expires_at < now() - interval '30 days'`},
	{`DELETE FROM accounts.resets`, `reset_id`, `expires_at < now() - interval '1 day'`},
	// Counts of failed attempts, after two days without an attempt.
	{`DELETE FROM accounts.throttles`, `key`, `touched_at < now() - interval '2 days'`},
	// Counts of the requests of past minutes.
	{`DELETE FROM bus.rates`, `caller, minute`, `minute < now() - interval '5 minutes'`},
	// Counts of the mails to an address on past days.
	{`DELETE FROM mail.recipients`, `address_hash`, `day < current_date`},
	// Notices of payment providers. One that came again after that would only have the provider asked.
	{`DELETE FROM payments.notices`, `provider, notice_id`, `received_at < now() - interval '30 days'`},
	{`DELETE FROM payments.reconciliations`, `reconciliation_id`, `at < now() - interval '30 days'`},
	// Scores of products that are less than that of one view thirty days ago.
	{`DELETE FROM catalogue.viewed`, `product_id`, `heat < extract(epoch FROM now())::float8 / 86400 - 30`},
}

// statement deletes up to $1 rows, without those that another transaction has locked.
func (e expiry) statement() string {
	from := strings.TrimPrefix(e.remove, "DELETE ")
	return e.remove + `
		WHERE (` + e.key + `) IN (
			SELECT ` + e.key + ` ` + from + `
			WHERE ` + e.when + `
			LIMIT $1
			FOR UPDATE SKIP LOCKED)`
}

// deleteBatch deletes a batch of expired rows and returns their number.
func (e expiry) deleteBatch(ctx context.Context, tx pgx.Tx) (int64, error) {
	tag, err := tx.Exec(ctx, e.statement(), batchSize)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", strings.ToLower(e.remove), err)
	}
	return tag.RowsAffected(), nil
}
