package migrations_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/popup-shop/popup/internal/invariant"
	"github.com/popup-shop/popup/internal/provision"

	_ "embed"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/dbtest"
)

// shop fills a database with one order in each state that an attack needs.
//
//go:embed testdata/shop.sql
var shop string

const (
	pending    = "'00000000-0000-7000-8000-000000000001'" // held, its payment open
	delivered  = "'00000000-0000-7000-8000-000000000002'" // and paid
	cancelling = "'00000000-0000-7000-8000-000000000003'" // its money is here
	expired    = "'00000000-0000-7000-8000-000000000004'"
	completed  = "'00000000-0000-7000-8000-000000000005'"
	unpaid     = "'00000000-0000-7000-8000-000000000006'" // delivered, its money given back
	fresh      = "'00000000-0000-7000-8000-000000000007'" // nothing is done for it yet
	packed     = "'00000000-0000-7000-8000-000000000008'" // confirmed, its shipment planned
	customer   = "'00000000-0000-7000-8000-000000000002'" // has an open order
	gone       = "'00000000-0000-7000-8000-000000000003'" // a closed account
	shirts     = "'00000000-0000-7000-8000-0000000000a1'" // 20, of which 2 are held and 6 left
	caps       = "'00000000-0000-7000-8000-0000000000a2'" // 5
)

// noRight is the error of Postgres for a missing privilege.
const noRight = "42501"

// attack is a statement that would violate a constraint. The constraint rejects it for every role; the role that comes
// nearest to having the privilege is rejected by it too, or lacks the privilege.
type attack struct {
	name    string
	sql     string
	promise string
	by      string // the function
	noRight bool
}

var attacks = []attack{
	{"leave the shop without an admin", `UPDATE accounts.users SET active = false WHERE role = 'admin'`, "the_last_admin_stays", "serve-accounts", false},
	{"delete the last admin", `DELETE FROM accounts.users WHERE role = 'admin'`, "the_last_admin_stays", "serve-accounts", false},
	{"give an e-mail address to two", `INSERT INTO accounts.users (user_id, email) VALUES (gen_random_uuid(), 'Admin@Example.test')`, "users_email_unique", "serve-accounts", false},
	{"close an account and keep its name", `UPDATE accounts.users SET closed_at = now()`, "closed_accounts_name_nobody", "serve-accounts", false},
	{"make up a role", `UPDATE accounts.users SET role = 'root' WHERE role = 'customer'`, "users_role_known", "serve-accounts", false},
	{"keep a password as it is", `INSERT INTO accounts.passwords VALUES (` + pending + `, 'secret')`, "passwords_are_hashed", "serve-accounts", true},
	{"know a guest by nothing", `INSERT INTO accounts.guests (guest_id, name, phone) VALUES (gen_random_uuid(), ' ', '+49 40 1')`, "guests_have_a_name", "serve-accounts", false},
	{"give an SSH key to two", `INSERT INTO accounts.ssh_keys (key_id, user_id, name, public_key, fingerprint) SELECT gen_random_uuid(), user_id, '', '', 'x' FROM accounts.users`, "ssh_keys_belong_to_one_account", "serve-accounts", false},
	{"close an account under its order", `UPDATE accounts.users SET email = '', name = '', phone = '', active = false, closed_at = now() WHERE user_id = ` + customer, "accounts_with_open_orders_stay", "serve-accounts", false},
	{"put an address into a closed account", `INSERT INTO accounts.addresses SELECT gen_random_uuid(), ` + gone + `, '', '', '', '', '', '', '', '', ''`, "closed_accounts_have_nothing", "serve-accounts", false},
	{"put a key into a closed account", `INSERT INTO accounts.ssh_keys (key_id, user_id, name, public_key, fingerprint) VALUES (gen_random_uuid(), ` + gone + `, '', '', 'y')`, "closed_accounts_have_nothing", "serve-accounts", false},
	{"sign in to a closed account", `INSERT INTO accounts.sessions (session_id, user_id, refresh_hash, source, agent, expires_at) VALUES (gen_random_uuid(), ` + gone + `, '', '', '', now())`, "closed_accounts_have_nothing", "serve-accounts", false},
	{"give a closed account a client", `INSERT INTO accounts.clients (client_id, name, secret_hash, scopes, owner_id) VALUES (gen_random_uuid(), 'x', '', '{x}', ` + gone + `)`, "closed_accounts_have_nothing", "serve-accounts", false},
	{"order for a closed account", ordered(gone), "closed_accounts_order_nothing", "place-order", false},
	{"order for somebody unknown", ordered("gen_random_uuid()"), "closed_accounts_order_nothing", "place-order", false},
	{"give an order to a closed account", `UPDATE orders.orders SET customer_id = ` + gone + `, version = version + 1 WHERE order_id = ` + pending, "closed_accounts_order_nothing", "serve-orders", false},
	{"rewrite who did what", `UPDATE bus.audit SET by = NULL`, "audit_never_changes", "serve-accounts", true},
	{"forget who did what", `DELETE FROM bus.audit`, "audit_never_changes", "serve-accounts", true},
	// STK-14.
	{"sell more than there is", `UPDATE stock.levels SET reserved = on_hand + 1`, "stock_reserved_in_range", "serve-stock", false},
	{"sell more than there is by reserving it", `INSERT INTO stock.reservations (order_id, line, level_id, quantity) VALUES (` + fresh + `, 1, ` + shirts + `, 15)`, "stock_reserved_in_range", "reserve-stock", false},
	{"take out what is held", movement("outbound", "13"), "stock_reserved_in_range", "serve-stock", false},
	{"write down what is held", movement("adjustment", "-13"), "stock_reserved_in_range", "serve-stock", false},
	{"make goods of nothing", `UPDATE stock.levels SET on_hand = on_hand + 5`, "stock_changes_through_movements", "serve-stock", false},
	{"forget what is held", `UPDATE stock.levels SET reserved = 0`, "stock_changes_through_movements", "reserve-stock", true},
	{"give goods another name", `UPDATE stock.levels SET sku = 'CAP2' WHERE level_id = ` + caps, "stock_changes_through_movements", "serve-stock", false},
	{"begin with goods that never came in", `INSERT INTO stock.levels (level_id, sku, warehouse_id, on_hand) SELECT gen_random_uuid(), 'HAT', warehouse_id, 5 FROM stock.warehouses`, "stock_changes_through_movements", "serve-stock", false},
	{"lose a level with its goods", `DELETE FROM stock.levels WHERE level_id = ` + caps, "movements_level_id_fkey", "serve-stock", false},
	{"keep one SKU twice in a warehouse", `INSERT INTO stock.levels (level_id, sku, warehouse_id) SELECT gen_random_uuid(), sku, warehouse_id FROM stock.levels`, "levels_once_per_sku_and_warehouse", "serve-stock", false},
	{"keep more than a trillion", movement("inbound", "1000000000000"), "stock_at_most_a_trillion", "serve-stock", false},
	{"move less than nothing in", movement("inbound", "-1"), "movements_move_something", "serve-stock", false},
	{"move nothing", movement("adjustment", "0"), "movements_move_something", "serve-stock", false},
	{"move in a way that nobody knows", movement("theft", "1"), "movements_kind_known", "serve-stock", false},
	{"reserve for nobody", movement("reservation", "1"), "movements_reserve_for_a_reservation", "serve-stock", false},
	{"release what is still held", `INSERT INTO stock.movements (level_id, kind, quantity, reservation_id, reference) VALUES (` + shirts + `, 'release', 2, ` + pending + `, 'x')`, "movements_follow_their_reservation", "move-stock", false},
	{"ship what is still held", `INSERT INTO stock.movements (level_id, kind, quantity, reservation_id, reference) VALUES (` + shirts + `, 'outbound', 2, ` + pending + `, 'x')`, "movements_follow_their_reservation", "move-stock", false},
	{"book a reservation twice", `INSERT INTO stock.movements (level_id, kind, quantity, reservation_id, reference) VALUES (` + shirts + `, 'reservation', 2, ` + pending + `, 'x')`, "movements_once_per_reservation_and_kind", "move-stock", false},
	// STK-12.
	{"change a movement", `UPDATE stock.movements SET quantity = quantity + 1`, "movements_never_changes", "move-stock", true},
	{"change no movement, but try", `UPDATE stock.movements SET quantity = 1 WHERE false`, "movements_never_changes", "serve-stock", true},
	{"delete a movement", `DELETE FROM stock.movements`, "movements_never_changes", "move-stock", true},
	{"empty the movements", `TRUNCATE stock.movements`, "movements_never_changes", "move-stock", true},
	{"empty the levels and all that hangs on them", `TRUNCATE stock.levels CASCADE`, "movements_never_changes", "serve-stock", true},

	{"hold again what was released", `UPDATE stock.reservations SET status = 'held' WHERE order_id = ` + cancelling, "reservations_move_once", "reserve-stock", false},
	{"ship what was released", `UPDATE stock.reservations SET status = 'shipped' WHERE order_id = ` + cancelling, "reservations_move_once", "move-stock", false},
	{"begin with a shipped reservation", `INSERT INTO stock.reservations (order_id, line, level_id, quantity, status) VALUES (` + fresh + `, 1, ` + shirts + `, 1, 'shipped')`, "reservations_begin_held", "move-stock", false},
	{"hold more afterwards", `UPDATE stock.reservations SET quantity = quantity + 1 WHERE order_id = ` + pending, "reservations_move_once", "reserve-stock", false},
	{"hold for another order afterwards", `UPDATE stock.reservations SET order_id = ` + fresh + ` WHERE order_id = ` + pending, "reservations_move_once", "reserve-stock", false},
	{"hold one line twice", `INSERT INTO stock.reservations (order_id, line, level_id, quantity) VALUES (` + pending + `, 1, ` + shirts + `, 1)`, "reservations_once_per_line_and_level", "reserve-stock", false},
	{"hold nothing", `INSERT INTO stock.reservations (order_id, line, level_id, quantity) VALUES (` + fresh + `, 1, ` + shirts + `, 0)`, "reservations_hold_something", "reserve-stock", false},
	{"delete a reservation", `DELETE FROM stock.reservations WHERE order_id = ` + pending, "reservations_never_deleted", "release-stock", false},
	{"empty the reservations and all that hangs on them", `TRUNCATE stock.reservations CASCADE`, "movements_never_changes", "release-stock", true},

	{"leave an open order without a deadline", `UPDATE orders.orders SET deadline = NULL, version = version + 1 WHERE order_id = ` + pending, "open_orders_have_a_deadline", "track-order", false},
	{"give an ended order a deadline", `UPDATE orders.orders SET deadline = now(), version = version + 1 WHERE order_id = ` + expired, "open_orders_have_a_deadline", "track-order", false},
	{"skip states", `SELECT test.move(` + pending + `, 'shipped', 'held', 'created')`, "orders_move_by_the_table", "follow-shipment", false},
	{"revive an ended order", `SELECT test.move(` + expired + `, 'pending', 'pending', 'pending')`, "orders_move_by_the_table", "track-order", false},
	{"invent a state", `SELECT test.move(` + pending + `, 'lost', 'held', 'created')`, "orders_move_by_the_table", "track-order", false},
	{"invent a stock side", `SELECT test.move(` + pending + `, 'pending', 'stolen', 'created')`, "orders_stock_known", "track-order", false},
	{"invent a payment side", `SELECT test.move(` + pending + `, 'pending', 'held', 'promised')`, "orders_payment_known", "track-order", false},
	{"confirm without stock", `SELECT test.move(` + pending + `, 'confirmed', 'pending', 'paid')`, "confirmed_orders_hold_stock", "track-order", false},
	{"confirm without money", `SELECT test.move(` + pending + `, 'confirmed', 'held', 'created')`, "confirmed_orders_hold_stock", "track-order", false},
	{"complete with goods in the warehouse", `SELECT test.move(` + delivered + `, 'completed', 'held', 'paid')`, "completed_orders_are_paid_and_shipped", "complete-order", false},
	{"place a confirmed order", placed("confirmed", "1", "2000"), "orders_begin_pending", "place-order", false},
	{"place an order at its second version", placed("pending", "2", "2000"), "orders_begin_pending", "place-order", false},
	{"place an order whose total does not add up", placed("pending", "1", "1999"), "orders_totals_add_up", "place-order", false},
	{"jump over a version", `UPDATE orders.orders SET version = version + 2 WHERE order_id = ` + pending, "orders_version_by_version", "track-order", false},
	{"go back a version", `UPDATE orders.orders SET version = version - 1 WHERE order_id = ` + pending, "orders_version_by_version", "track-order", false},
	{"change an order without a version", `UPDATE orders.orders SET carrier = 'x' WHERE order_id = ` + pending, "orders_version_by_version", "track-order", false},
	{"change an order without its log", `UPDATE orders.orders SET carrier = 'x', version = version + 1 WHERE order_id = ` + pending, "orders_versions_are_logged", "track-order", false},
	{"place an order without its log", placed("pending", "1", "2000"), "orders_versions_are_logged", "place-order", false},
	{"write another state into the log", `
		WITH moved AS (UPDATE orders.orders SET version = version + 1 WHERE order_id = ` + pending + ` RETURNING *)
		INSERT INTO orders.history (order_id, version, to_status, stock, payment, reason, by, cause)
		SELECT order_id, version, 'confirmed', stock, payment, '', 'x', 'x' FROM moved`, "orders_versions_are_logged", "track-order", false},
	{"log a version twice", `INSERT INTO orders.history (order_id, version, to_status, stock, payment, reason, by, cause) VALUES (` + pending + `, 1, 'pending', 'pending', 'pending', '', 'x', 'x')`, "history_pkey", "track-order", false},
	{"invent a version", `INSERT INTO orders.history (order_id, version, to_status, stock, payment, reason, by, cause) VALUES (` + pending + `, 99, 'pending', 'pending', 'pending', '', 'x', 'x')`, "history_follows_its_order", "track-order", false},
	{"show a hidden order again", `DELETE FROM orders.hidden`, "hidden_never_changes", "serve-orders", true},
	{"change a note", `UPDATE orders.notes SET text = 'x'`, "notes_never_changes", "serve-orders", true},
	{"change the log", `UPDATE orders.history SET by = 'x'`, "history_never_changes", "track-order", true},
	{"delete from the log", `DELETE FROM orders.history`, "history_never_changes", "close-order", true},
	{"empty the log", `TRUNCATE orders.history`, "history_never_changes", "track-order", true},
	{"change a total", `UPDATE orders.orders SET total_minor = 1, subtotal_minor = 1, version = version + 1 WHERE order_id = ` + pending, "orders_keep_their_price", "serve-orders", false},
	{"change a currency", `UPDATE orders.orders SET currency = 'JPY', version = version + 1 WHERE order_id = ` + pending, "orders_keep_their_price", "serve-orders", false},
	{"change a number", `UPDATE orders.orders SET order_number = 'ORD-20260131-XXXXXX', version = version + 1 WHERE order_id = ` + pending, "orders_keep_their_price", "serve-orders", false},
	{"delete an order", `DELETE FROM orders.orders WHERE order_id = ` + fresh, "orders_never_deleted", "place-order", false},
	{"empty the orders and all that hangs on them", `TRUNCATE orders.orders CASCADE`, "lines_never_changes", "place-order", true},
	{"change a line", `UPDATE orders.lines SET quantity = 1, total_minor = 1000`, "lines_never_changes", "place-order", true},
	{"delete a line", `DELETE FROM orders.lines`, "lines_never_changes", "place-order", true},
	{"add a line to a placed order", `INSERT INTO orders.lines SELECT order_id, 2, product_id, NULL, sku, store_id, '', '', 1, 1, 1 FROM orders.lines WHERE order_id = ` + pending, "lines_add_up_to_the_subtotal", "place-order", false},
	{"order a hundred", `INSERT INTO orders.lines SELECT order_id, 2, product_id, NULL, sku, store_id, '', '', 100, 1, 100 FROM orders.lines`, "lines_quantity_1_to_99", "place-order", false},
	{"miscalculate a line", `INSERT INTO orders.lines SELECT order_id, 2, product_id, NULL, sku, store_id, '', '', 2, 10, 19 FROM orders.lines`, "lines_totals_multiply", "place-order", false},
	{"allow another move", `INSERT INTO orders.moves VALUES ('completed', 'pending')`, "moves_never_changes", "track-order", true},
	{"forbid a move", `DELETE FROM orders.moves`, "moves_never_changes", "track-order", true},
	{"change a move", `UPDATE orders.moves SET to_status = 'completed' WHERE from_status = 'pending'`, "moves_never_changes", "track-order", true},

	{"capture more than was asked for", `SELECT test.enter(` + pending + `, 'captured', 2001, 'more')`, "captures_within_amount", "create-payment", false},
	{"capture twice", `SELECT test.enter(` + delivered + `, 'captured', 1, 'more')`, "captures_within_amount", "create-payment", false},
	{"give back more than was captured", `SELECT test.enter(` + delivered + `, 'refunded', 2001, 'more')`, "refunds_within_captures", "refund-payment", false},
	{"give back what never came", `SELECT test.enter(` + pending + `, 'refunded', 1, 'more')`, "refunds_within_captures", "refund-payment", false},
	{"enter less than nothing", `SELECT test.enter(` + pending + `, 'captured', -1, 'more')`, "entries_amount_not_negative", "create-payment", false},
	{"enter what nobody knows", `SELECT test.enter(` + pending + `, 'gift', 1, 'more')`, "entries_kind_known", "create-payment", false},
	{"enter another currency", `INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref) VALUES (` + pending + `, 'captured', 2000, 'JPY', 'simulated', 'yen')`, "entries_keep_the_currency", "create-payment", false},
	{"count a provider's object twice", `SELECT test.enter(` + delivered + `, 'captured', 0, 'ref_' || ` + delivered + `)`, "entries_once_per_provider_object", "create-payment", false},
	{"change a sum", `UPDATE payments.payments SET captured_minor = 2000 WHERE payment_id = ` + pending, "payments_change_through_entries", "create-payment", false},
	{"change a status", `UPDATE payments.payments SET status = 'paid' WHERE payment_id = ` + pending, "payments_change_through_entries", "create-payment", false},
	{"change an amount", `UPDATE payments.payments SET amount_minor = 1 WHERE payment_id = ` + pending, "payments_change_through_entries", "create-payment", false},
	{"change a payment's currency", `UPDATE payments.payments SET currency = 'JPY' WHERE payment_id = ` + pending, "payments_change_through_entries", "create-payment", false},
	{"pay another order with it", `UPDATE payments.payments SET order_id = ` + fresh + ` WHERE payment_id = ` + delivered, "payments_change_through_entries", "create-payment", false},
	{"begin with a paid payment", `INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, status, captured_minor) VALUES (` + fresh + `, ` + fresh + `, 'x', 'x', 1, 'EUR', 'paid', 1)`, "payments_change_through_entries", "create-payment", false},
	{"open a second payment", `INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency) VALUES (` + fresh + `, ` + pending + `, 'x', 'x', 1, 'EUR')`, "one_open_payment_per_order", "create-payment", false},
	{"delete a payment", `DELETE FROM payments.payments WHERE payment_id = ` + pending, "entries_payment_id_fkey", "create-payment", false},
	{"change an entry", `UPDATE payments.entries SET amount_minor = 0`, "entries_never_changes", "create-payment", true},
	{"delete an entry", `DELETE FROM payments.entries`, "entries_never_changes", "refund-payment", true},
	{"empty the entries", `TRUNCATE payments.entries`, "entries_never_changes", "create-payment", true},
	{"deny an attempt", `DELETE FROM payments.attempts`, "attempts_never_changes", "create-payment", true},
	{"give back nothing", `INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status) VALUES (` + pending + `, ` + pending + `, ` + pending + `, 0, 'EUR', 'x', 'x', 'refunded')`, "refunds_return_something", "refund-payment", false},
	{"request more than was captured", `INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status) VALUES (` + fresh + `, ` + delivered + `, ` + delivered + `, 2001, 'EUR', 'x', 'x', 'requested')`, "refunds_within_what_was_captured", "check-payment", false},
	{"request a refund in another currency", `INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status) VALUES (` + fresh + `, ` + delivered + `, ` + delivered + `, 1, 'JPY', 'x', 'x', 'requested')`, "refunds_within_what_was_captured", "check-payment", false},
	{"raise a refund that was requested", `INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status) VALUES (` + fresh + `, ` + delivered + `, ` + delivered + `, 1, 'EUR', 'x', 'x', 'requested'); UPDATE payments.refunds SET amount_minor = 2`, "refunds_keep_what_they_are", "check-payment", false},
	{"take a refund back", `INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status) VALUES (` + fresh + `, ` + delivered + `, ` + delivered + `, 1, 'EUR', 'x', 'x', 'refunded'); UPDATE payments.refunds SET status = 'failed'`, "refunds_keep_what_they_are", "check-payment", false},
	{"raise what is used", `UPDATE payments.authorisations SET used_minor = used_minor + 1`, "authorisations_follow_payments", "serve-payments", false},
	{"authorise less after all", `UPDATE payments.authorisations SET amount_minor = 1`, "authorisations_follow_payments", "serve-payments", false},
	{"begin with a used authorisation", `INSERT INTO payments.authorisations (authorisation_id, owner_id, amount_minor, used_minor, currency) VALUES (` + fresh + `, ` + fresh + `, 2, 1, 'EUR')`, "authorisations_follow_payments", "serve-payments", false},
	{"forget an authorisation", `DELETE FROM payments.authorisations`, "authorisations_follow_payments", "serve-payments", false},
	{"set aside without an authorisation", `SELECT test.enter(` + pending + `, 'authorised', 2000, 'aside')`, "authorised_payments_have_an_authorisation", "create-payment", false},
	{"set aside more than was authorised", `INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, authorisation_id) VALUES (` + fresh + `, ` + fresh + `, 'x', 'x', 2001, 'EUR', '00000000-0000-7000-8000-0000000000d1'); INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref) VALUES (` + fresh + `, 'authorised', 2001, 'EUR', 'x', 'x')`, "authorisations_are_not_exceeded", "create-payment", false},
	{"set aside in another currency", `INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, authorisation_id) VALUES (` + fresh + `, ` + fresh + `, 'x', 'x', 1, 'JPY', '00000000-0000-7000-8000-0000000000d1'); INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref) VALUES (` + fresh + `, 'authorised', 1, 'JPY', 'x', 'x')`, "authorisations_keep_the_currency", "create-payment", false},
	{"take it from an authorisation afterwards", `UPDATE payments.payments SET authorisation_id = '00000000-0000-7000-8000-0000000000d1'`, "payments_keep_their_authorisation", "create-payment", false},
	{"enter money into the book", `INSERT INTO books.entries VALUES ('customers', 'customers', 'EUR', 1, ` + fresh + `, 'x')`, "entries_have_two_accounts", "create-payment", true},
	{"change the book", `UPDATE books.entries SET amount = 1`, "entries_never_changes", "create-payment", true},
	{"complete an order that is not paid", `SELECT test.move(` + unpaid + `, 'completed', 'shipped', 'paid')`, "ended_orders_are_settled", "complete-order", false},
	{"cancel while money is here", `SELECT test.move(` + cancelling + `, 'cancelled', 'released', 'refunded')`, "ended_orders_are_settled", "close-order", false},
	{"capture for an order that has expired", `SELECT test.enter(` + expired + `, 'captured', 2000, 'late')`, "ended_orders_are_settled", "create-payment", false},
	{"give back a completed order's money", `SELECT test.enter(` + completed + `, 'refunded', 1, 'back')`, "ended_orders_are_settled", "refund-payment", false},

	{"ship an order twice", `INSERT INTO delivery.shipments (shipment_id, order_id, carrier, tracking_number, pickup) VALUES (gen_random_uuid(), ` + delivered + `, 'x', 'PU9', false)`, "one_shipment_per_order", "ship-order", false},
	{"give two shipments one number", `INSERT INTO delivery.shipments (shipment_id, order_id, carrier, tracking_number, pickup) VALUES (gen_random_uuid(), ` + fresh + `, 'x', 'PU2', false)`, "shipments_tracking_number_unique", "ship-order", false},
	{"invent where a shipment is", `UPDATE delivery.shipments SET status = 'lost'`, "shipments_status_known", "carry-shipment", false},
	{"change where a shipment was seen", `UPDATE delivery.tracking SET status = 'delivered'`, "tracking_never_changes", "carry-shipment", true},
	{"forget where a shipment was seen", `DELETE FROM delivery.tracking`, "tracking_never_changes", "carry-shipment", true},
	// ORD-30, DEL-20.
	{"ship what is being cancelled", shipment(cancelling, "planned"), "undone_orders_ship_nothing", "ship-order", false},
	{"have shipped what is being cancelled", shipment(cancelling, "delivered"), "undone_orders_ship_nothing", "carry-shipment", false},
	{"ship what has expired", shipment(expired, "planned"), "undone_orders_ship_nothing", "ship-order", false},
	{"cancel an order and leave its shipment planned", `SELECT test.move(` + packed + `, 'cancelling', 'held', 'refunding')`, "undone_orders_ship_nothing", "serve-orders", false},
	{"cancel an order and ship it", `SELECT test.move(` + packed + `, 'cancelling', 'held', 'refunding'); UPDATE delivery.shipments SET status = 'preparing' WHERE order_id = ` + packed, "undone_orders_ship_nothing", "track-order", false},
	{"ship a cancelled order with another's shipment", `UPDATE delivery.shipments SET order_id = ` + cancelling + ` WHERE order_id = ` + packed, "undone_orders_ship_nothing", "carry-shipment", false},
	{"move a cancelled shipment", `UPDATE delivery.shipments SET status = 'cancelled' WHERE order_id = ` + packed + `; UPDATE delivery.shipments SET status = 'shipped' WHERE order_id = ` + packed, "cancelled_shipments_never_move", "carry-shipment", false},
	{"send a second mail of a kind", `INSERT INTO mail.mails (mail_id, order_id, kind, status, taken_by) VALUES (gen_random_uuid(), ` + delivered + `, 'payment_paid', 'sending', gen_random_uuid())`, "mails_once_per_order_and_kind", "send-email", false},

	{"say more than 64 KiB", saying("json_build_object('x', repeat('x', 65536))"), "event_data_at_most_64_kib", "place-order", false},
	{"say one thing twice", saying("'{}'") + `; ` + saying("'{}'"), "event_other_pkey", "place-order", false},
	{"use an empty key", `INSERT INTO bus.idempotency (caller, route, key, body_hash) VALUES ('x', 'x', '', '')`, "idempotency_key_length", "place-order", false},
	{"park one thing twice", `INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event) SELECT event_id, type, source, consumer, kind, reason, event FROM bus.dead_letters`, "dead_letters_once_per_event_and_consumer", "store-dead-letter", false},
	{"park for no known reason", `INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event) VALUES ('2', 'x', 'x', 'x', 'x', 'x', '')`, "dead_letter_kind_known", "store-dead-letter", false},
	{"change what people did", `UPDATE bus.dead_letter_actions SET by = 'x'`, "dead_letter_actions_never_changes", "store-dead-letter", true},
	{"forget what people did", `DELETE FROM bus.dead_letter_actions`, "dead_letter_actions_never_changes", "sweep-events", true},
	{"empty what people did", `TRUNCATE bus.dead_letter_actions`, "dead_letter_actions_never_changes", "store-dead-letter", true},
	{"look from two places", `INSERT INTO bus.sweep (one_row, mark) VALUES (false, '0')`, "sweep_one_row_check", "sweep-events", false},
}

func movement(kind, quantity string) string {
	return `INSERT INTO stock.movements (level_id, kind, quantity, reference) VALUES (` + shirts + `, '` + kind + `', ` + quantity + `, 'x')`
}

func placed(status, version, subtotal string) string {
	return placedFor("NULL", status, version, subtotal)
}

func ordered(customer string) string { return placedFor(customer, "pending", "1", "2000") }

func placedFor(customer, status, version, subtotal string) string {
	return `
		INSERT INTO orders.orders (order_id, customer_id, order_number, status, stock, payment, version, currency, subtotal_minor, delivery_fee_minor, tax_minor,
			discount_minor, total_minor, payment_method, pickup, locale, stock_check_at, payment_check_at, deadline)
		VALUES (gen_random_uuid(), ` + customer + `, 'ORD-20260131-NEWONE', '` + status + `', 'held', 'paid', ` + version + `, 'EUR', ` + subtotal + `, 0, 0,
			0, 2000, 'x', false, 'en', now(), now(), now())`
}

func shipment(orderID, status string) string {
	return `
		INSERT INTO delivery.shipments (shipment_id, order_id, carrier, tracking_number, pickup, status)
		VALUES (gen_random_uuid(), ` + orderID + `, 'popup', 'PU9', false, '` + status + `')`
}

func saying(data string) string {
	return `
		INSERT INTO bus.event (event_id, type, source, subject, causation_id, n, data)
		VALUES ('00000000-0000-8000-8000-000000000009', 'x', 'x', 'x', gen_random_uuid(), 0, ` + data + `)`
}

// ORD-24, PAY-37.
func TestTheDatabaseItselfRefusesTo(t *testing.T) {
	t.Parallel()
	db := filled(t)
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			requireRefused(t, commit(t, db, a.sql), a.promise)
		})
	}
}

func TestAFunctionsRoleIsRefusedTo(t *testing.T) {
	t.Parallel()
	db := filled(t)
	require.NoError(t, provision.GrantRoles(t.Context(), db, all(t), ""))
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			err := commit(t, asAdmin(t, db, a.by), a.sql)
			if a.noRight {
				require.Equal(t, noRight, code(err), "%v", err)
				return
			}
			requireRefused(t, err, a.promise)
		})
	}
}

// asAdmin returns a connection of a function that acts for an administrator, who may do most.
func asAdmin(t testing.TB, db *pgxpool.Pool, role string) *pgx.Conn {
	t.Helper()
	conn := as(t, db, role)
	_, err := conn.Exec(t.Context(), `SELECT set_config('popup.role', 'admin', false), set_config('popup.act', 'attack', false)`)
	require.NoError(t, err)
	return conn
}

func TestWhatIsRefusedLeavesTheShopWhole(t *testing.T) {
	t.Parallel()
	db := filled(t)
	for _, a := range attacks {
		require.Error(t, commit(t, db, a.sql), a.name)
	}
	results, err := invariant.Check(t.Context(), db, true)
	require.NoError(t, err)
	for _, r := range results {
		if r.Domain == "stock" || r.Domain == "payments" && !strings.Contains(r.Promise, "before stock") {
			require.Zero(t, r.Broken, "%s: %s", r.Domain, r.Promise)
		}
	}
}

// filled is a database with the shop of this test.
func filled(t testing.TB) *pgxpool.Pool {
	t.Helper()
	db := dbtest.DB(t)
	_, err := db.Exec(t.Context(), shop)
	require.NoError(t, err)
	return db
}

type beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// commit runs statements and commits them.
func commit(t testing.TB, db beginner, sql string) error {
	t.Helper()
	tx, err := db.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }() // it is over already, or is to be
	if _, err := tx.Conn().PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
		return err
	}
	return tx.Commit(t.Context())
}

func requireRefused(t testing.TB, err error, promise string) {
	t.Helper()
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	require.Equal(t, promise, pg.ConstraintName, "%v", err)
	require.Equal(t, "23", pg.Code[:2], "an integrity constraint: %v", err)
}

func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
