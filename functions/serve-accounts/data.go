package serveaccounts

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/web"
)

// DataAnswer is all personal data of a user.
type DataAnswer struct {
	Body json.RawMessage
}

// readData returns the personal data of the caller: profile, addresses, keys, sessions, points and orders.
func readData(ctx context.Context, db web.Reader, _ *struct{}) (*DataAnswer, error) {
	a := &DataAnswer{}
	err := db.QueryRow(ctx, `
		SELECT json_build_object(
			'user', (SELECT to_json(u) FROM accounts.users u WHERE user_id = @me),
			'addresses', (SELECT coalesce(json_agg(a ORDER BY created_at), '[]') FROM accounts.addresses a WHERE user_id = @me),
			'ssh_keys', (SELECT coalesce(json_agg(k ORDER BY created_at), '[]') FROM accounts.ssh_keys k WHERE user_id = @me),
			'sessions', (SELECT coalesce(json_agg(json_build_object('id', session_id, 'source', source, 'agent', agent,
				'created_at', created_at, 'used_at', used_at, 'ended_at', ended_at) ORDER BY created_at), '[]')
				FROM accounts.sessions WHERE user_id = @me),
			'points', (SELECT coalesce(json_agg(json_build_object('kind', kind, 'points', points, 'available', available, 'held', held, 'debt', debt,
				'order_id', order_id, 'reason', reason, 'expires_at', expires_at, 'at', at) ORDER BY n), '[]')
				FROM points.entries WHERE customer_id = @me),
			'orders', (SELECT coalesce(json_agg(json_build_object('id', o.order_id, 'order_number', order_number,
				'status', status, 'reason', reason, 'created_at', created_at,
				'currency', currency, 'total_minor', total_minor, 'to', to_json(a),
				'lines', (SELECT json_agg(l ORDER BY line) FROM orders.lines l WHERE l.order_id = o.order_id)) ORDER BY created_at), '[]')
				FROM orders.orders o JOIN orders.addresses a USING (order_id) WHERE o.customer_id = @me))`,
		pgx.NamedArgs{"me": auth.CallerFrom(ctx).ID}).Scan(&a.Body)
	if err != nil {
		return nil, fmt.Errorf("read data of user %s: %w", auth.CallerFrom(ctx).ID, err)
	}
	return a, nil
}
