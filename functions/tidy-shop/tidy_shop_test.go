package tidyshop_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "tidy-shop"

func open(t *testing.T) *shoptest.Shop {
	return shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess = 1 })
}

func tidy(t *testing.T, shop *shoptest.Shop) {
	t.Helper()
	require.Empty(t, shop.Send(t, name, events.HousekeepingDue{HousekeepingID: "019c1159-7000-0000-0000-000000000000", Day: "2026-01-31"}))
}

// BSK-04, API-05 and all other rows that expire.
func TestOnlyExpiredRowsAreDeleted(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		put    string // inserts a row that expires after the interval $1
		lives  string // an interval before the expiry
		ranOut string // an interval after it
		is     string // counts the rows
	}{
		"a basket": {
			`INSERT INTO orders.baskets (basket_id, owner_id, expires_at) VALUES (gen_random_uuid(), gen_random_uuid(), now() + $1::interval)`,
			`1 minute`, `-1 second`, `SELECT count(*) FROM orders.baskets`,
		},
		"the lines of a basket": {
			`WITH made AS (
				INSERT INTO orders.baskets (basket_id, owner_id, expires_at) VALUES (gen_random_uuid(), gen_random_uuid(), now() + $1::interval) RETURNING basket_id
			)
			INSERT INTO orders.basket_lines (line_id, basket_id, product_id, quantity, unit_price_minor, currency)
			SELECT gen_random_uuid(), basket_id, product_id, 2, price_minor, currency FROM made, catalogue.products WHERE sku = 'TEE-DROP-01'`,
			`1 minute`, `-1 second`, `SELECT count(*) FROM orders.basket_lines`,
		},
		"a key, for 7 days": {
			`INSERT INTO bus.idempotency (caller, route, key, body_hash, created_at) VALUES ('c', 'POST /v1/orders', gen_random_uuid(), '', now() - interval '7 days' + $1::interval)`,
			`1 minute`, `-1 second`, `SELECT count(*) FROM bus.idempotency`,
		},
		"a session, 30 days after its end": {
			session, `-29 days`, `-31 days`, `SELECT count(*) FROM accounts.sessions WHERE agent = 'of a test'`,
		},
		"what a session's tokens were": {
			`WITH made AS (` + session + ` RETURNING session_id)
			INSERT INTO accounts.spent_tokens (refresh_hash, session_id) SELECT decode(md5(random()::text), 'hex'), session_id FROM made`,
			`-29 days`, `-31 days`, `SELECT count(*) FROM accounts.spent_tokens`,
		},
		"a throttle, 2 days after the last try": {
			`INSERT INTO accounts.throttles (key, failures, free_at, touched_at) VALUES (gen_random_uuid(), 6, now(), now() - interval '2 days' + $1::interval)`,
			`1 hour`, `-1 hour`, `SELECT count(*) FROM accounts.throttles`,
		},
		"the calls of a minute": {
			`INSERT INTO bus.rates (caller, minute, calls) VALUES (gen_random_uuid(), now() + $1::interval, 7)`,
			`-1 minute`, `-10 minutes`, `SELECT count(*) FROM bus.rates`,
		},
		"the mails to an address": {
			`INSERT INTO mail.recipients (address_hash, day, mails) VALUES (decode(md5(random()::text), 'hex'), (now() + $1::interval)::date, 1)`,
			`0 s`, `-1 day`, `SELECT count(*) FROM mail.recipients`,
		},
		"a provider's notice, for 30 days": {
			`INSERT INTO payments.notices (provider, notice_id, kind, provider_ref, received_at) VALUES ('card', gen_random_uuid(), '', '', now() - interval '30 days' + $1::interval)`,
			`1 hour`, `-1 hour`, `SELECT count(*) FROM payments.notices`,
		},
		"what was looked at": {
			`INSERT INTO catalogue.viewed (product_id, heat) VALUES (gen_random_uuid(), extract(epoch FROM now() + $1::interval)::float8 / 86400)`,
			`-29 days`, `-31 days`, `SELECT count(*) FROM catalogue.viewed`,
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			shop := open(t)
			shop.SignIn(t, "customer") // the user of the sessions
			shop.Exec(t, c.put, c.lives)
			shop.Exec(t, c.put, c.lives)
			tidy(t, shop)
			require.EqualValues(t, 2, shoptest.Scalar[int64](t, shop, c.is), "what lives")
			shop.Exec(t, c.put, c.ranOut)
			require.EqualValues(t, 3, shoptest.Scalar[int64](t, shop, c.is))
			tidy(t, shop)
			require.EqualValues(t, 2, shoptest.Scalar[int64](t, shop, c.is), "what ran out")
		})
	}
}

const session = `INSERT INTO accounts.sessions (session_id, user_id, refresh_hash, source, agent, expires_at)
	SELECT gen_random_uuid(), user_id, decode(md5(random()::text), 'hex'), '', 'of a test', now() + $1::interval FROM (SELECT user_id FROM accounts.users LIMIT 1) u`

// The basket of an open order is kept, since it may be restored (BSK-11).
func TestOrderedBasketIsDeletedAfterItsOrder(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "auto" })
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	shop.Exec(t, `INSERT INTO orders.baskets (basket_id, owner_id, order_id, expires_at) VALUES (gen_random_uuid(), gen_random_uuid(), $1, now() - interval '1 s')`, placed.ID)
	tidy(t, shop)
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM orders.baskets`))

	shop.AwaitStatus(t, placed.ID, "completed")
	tidy(t, shop)
	require.Zero(t, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM orders.baskets`))
	require.Equal(t, "completed", shop.Status(t, placed.ID))
}

func TestDeletionTakesSeveralBatches(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.Exec(t, `INSERT INTO accounts.throttles (key, failures, free_at, touched_at) SELECT n, 1, now(), now() - interval '3 days' FROM generate_series(1, 50010) n`)
	tidy(t, shop)
	require.Zero(t, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM accounts.throttles`))
}

// Rows that another transaction has locked are left for the next day.
func TestHousekeepingSkipsLockedRows(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.Exec(t, `INSERT INTO orders.baskets (basket_id, owner_id, expires_at) SELECT gen_random_uuid(), gen_random_uuid(), now() - interval '1 s' FROM generate_series(1, 2)`)
	held, err := shop.Pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = held.Exec(t.Context(), `SELECT FROM orders.baskets LIMIT 1 FOR UPDATE`)
	require.NoError(t, err)
	tidy(t, shop)
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM orders.baskets`))
	require.NoError(t, held.Rollback(t.Context()))
}

// Row-level security: whatever statement the function sends, it sees only expired rows.
func TestFunctionCannotDeleteLiveRows(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.SignIn(t, "customer")
	shop.Exec(t, session, "-29 days")
	shop.Exec(t, session, "-31 days")
	shop.Exec(t, `INSERT INTO orders.baskets (basket_id, owner_id, expires_at) SELECT gen_random_uuid(), gen_random_uuid(), now() + n * interval '1 hour' FROM generate_series(-1, 1) n WHERE n <> 0`)
	role := shop.Runtime(t, name).Pool
	for _, table := range []string{"orders.baskets", "accounts.sessions"} {
		gone, err := role.Exec(t.Context(), `DELETE FROM `+table)
		require.NoError(t, err)
		require.EqualValues(t, 1, gone.RowsAffected(), table)
	}
	_, err := role.Exec(t.Context(), `DELETE FROM orders.orders`)
	require.ErrorContains(t, err, "permission denied")
}

// FUN-17: no row can stop the deletion of others, because no foreign key restricts the deletion of these rows.
func TestNoReferencePreventsTheDeletion(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	require.Empty(t, shoptest.Scalar[[]string](t, shop, `
		SELECT coalesce(array_agg(conname::text), '{}')
		FROM pg_constraint
		WHERE contype = 'f' AND confrelid::regclass::text = ANY ($1) AND confdeltype NOT IN ('c', 'n')`, shop.Function(t, "tidy-shop").Writes))
}
