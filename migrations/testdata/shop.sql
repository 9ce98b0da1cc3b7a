-- A shop with one order in each state that an attack needs. Made as the shop makes it: through movements, versions and entries.
CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;

-- move stores the next version of an order with its row in the log.
CREATE FUNCTION test.move(id uuid, to_status text, to_stock text, to_payment text) RETURNS void LANGUAGE sql AS $$
    WITH moved AS (
        UPDATE orders.orders o SET version = o.version + 1, status = to_status, stock = to_stock, payment = to_payment,
            deadline = CASE WHEN to_status IN ('completed', 'returned', 'cancelled', 'rejected', 'expired') THEN NULL ELSE now() + interval '1 day' END
        FROM (SELECT status FROM orders.orders WHERE order_id = id) AS before
        WHERE order_id = id
        RETURNING o.*, before.status AS status_before
    )
    INSERT INTO orders.history (order_id, version, from_status, to_status, stock, payment, reason, deadline, by, cause)
    SELECT order_id, version, status_before, status, stock, payment, reason, deadline, 'test', 'test' FROM moved
$$;

-- place stores an order of two T-shirts for 20.00 EUR.
CREATE FUNCTION test.place(id uuid) RETURNS void LANGUAGE sql AS $$
    INSERT INTO orders.orders (order_id, order_number, status, stock, payment, version, currency, subtotal_minor, delivery_fee_minor, tax_minor,
        discount_minor, total_minor, payment_method, pickup, locale, stock_check_at, payment_check_at, deadline)
    VALUES (id, 'ORD-20260131-' || upper(right(id::text, 6)), 'pending', 'pending', 'pending', 1, 'EUR', 2000, 0, 0, 0, 2000, 'simulated', false, 'en',
        now(), now(), now() + interval '1 day');
    INSERT INTO orders.history (order_id, version, to_status, stock, payment, reason, deadline, by, cause)
    SELECT order_id, version, status, stock, payment, reason, deadline, 'test', 'test' FROM orders.orders WHERE order_id = id;
    INSERT INTO orders.addresses (order_id, name, email, phone) VALUES (id, 'A', 'a@example.com', '1');
    INSERT INTO orders.lines (order_id, line, product_id, sku, store_id, store_name, product_name, quantity, unit_price_minor, total_minor)
    VALUES (id, 1, gen_random_uuid(), 'TEE', gen_random_uuid(), 'S', 'T-shirt', 2, 1000, 2000);
$$;

-- hold, open and capture are what reserve-stock and create-payment do. An order's reservation and payment bear its id.
CREATE FUNCTION test.hold(id uuid) RETURNS void LANGUAGE sql AS $$
    INSERT INTO stock.reservations (reservation_id, order_id, line, level_id, quantity) VALUES (id, id, 1, '00000000-0000-7000-8000-0000000000a1', 2)
$$;
CREATE FUNCTION test.open(id uuid) RETURNS void LANGUAGE sql AS $$
    INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, provider_ref)
    VALUES (id, id, 'simulated', 'simulated', 2000, 'EUR', 'ref_' || id);
    INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref) VALUES (id, 'created', 2000, 'EUR', 'simulated', 'ref_' || id);
$$;
CREATE FUNCTION test.enter(id uuid, kind text, amount bigint, ref text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref) VALUES (id, kind, amount, 'EUR', 'simulated', ref)
$$;

INSERT INTO stock.warehouses (warehouse_id, name) VALUES ('00000000-0000-7000-8000-0000000000b1', 'Harbour');
INSERT INTO stock.levels (level_id, sku, warehouse_id) VALUES
    ('00000000-0000-7000-8000-0000000000a1', 'TEE', '00000000-0000-7000-8000-0000000000b1'),
    ('00000000-0000-7000-8000-0000000000a2', 'CAP', '00000000-0000-7000-8000-0000000000b1');
INSERT INTO stock.movements (level_id, kind, quantity, reference) VALUES
    ('00000000-0000-7000-8000-0000000000a1', 'inbound', 20, 'test'), ('00000000-0000-7000-8000-0000000000a2', 'inbound', 5, 'test');

-- ...01: pending, its stock held, its payment open.
SELECT test.place(id), test.hold(id), test.open(id), test.move(id, 'pending', 'held', 'created')
FROM (VALUES ('00000000-0000-7000-8000-000000000001'::uuid)) AS o (id);
-- ...02: delivered and paid, with its shipment.
SELECT test.place(id), test.hold(id), test.open(id), test.enter(id, 'captured', 2000, 'ref_' || id), test.move(id, 'confirmed', 'held', 'paid'),
    test.move(id, 'processing', 'held', 'paid'), test.move(id, 'shipped', 'held', 'paid')
FROM (VALUES ('00000000-0000-7000-8000-000000000002'::uuid)) AS o (id);
UPDATE stock.reservations SET status = 'shipped' WHERE order_id = '00000000-0000-7000-8000-000000000002';
SELECT test.move(id, 'in_transit', 'shipped', 'paid'), test.move(id, 'delivered', 'shipped', 'paid')
FROM (VALUES ('00000000-0000-7000-8000-000000000002'::uuid)) AS o (id);
INSERT INTO delivery.shipments (shipment_id, order_id, carrier, tracking_number, pickup)
VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000002', 'popup', 'PU2', false);
INSERT INTO delivery.tracking (shipment_id, n, status) VALUES ('00000000-0000-7000-8000-000000000002', 1, 'planned');
INSERT INTO mail.mails (mail_id, order_id, kind, status, taken_by)
VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000002', 'payment_paid', 'sent', '00000000-0000-7000-8000-000000000002');
-- ...03: being cancelled; its stock is back, its money not yet.
SELECT test.place(id), test.hold(id), test.open(id), test.enter(id, 'captured', 2000, 'ref_' || id), test.move(id, 'confirmed', 'held', 'paid'),
    test.move(id, 'cancelling', 'held', 'refunding')
FROM (VALUES ('00000000-0000-7000-8000-000000000003'::uuid)) AS o (id);
UPDATE stock.reservations SET status = 'released' WHERE order_id = '00000000-0000-7000-8000-000000000003';
-- ...04: expired, its payment closed unpaid.
SELECT test.place(id), test.open(id), test.move(id, 'pending', 'pending', 'created'), test.enter(id, 'voided', 0, 'ref_' || id), test.move(id, 'expired', 'pending', 'expired')
FROM (VALUES ('00000000-0000-7000-8000-000000000004'::uuid)) AS o (id);
-- ...05: completed, its money kept.
SELECT test.place(id), test.hold(id), test.open(id), test.enter(id, 'captured', 2000, 'ref_' || id), test.move(id, 'confirmed', 'held', 'paid'),
    test.move(id, 'processing', 'held', 'paid'), test.move(id, 'shipped', 'held', 'paid')
FROM (VALUES ('00000000-0000-7000-8000-000000000005'::uuid)) AS o (id);
UPDATE stock.reservations SET status = 'shipped' WHERE order_id = '00000000-0000-7000-8000-000000000005';
SELECT test.move(id, 'in_transit', 'shipped', 'paid'), test.move(id, 'delivered', 'shipped', 'paid'), test.move(id, 'completed', 'shipped', 'paid')
FROM (VALUES ('00000000-0000-7000-8000-000000000005'::uuid)) AS o (id);
-- ...06: delivered, but its money was given back.
SELECT test.place(id), test.hold(id), test.open(id), test.enter(id, 'captured', 2000, 'ref_' || id), test.move(id, 'confirmed', 'held', 'paid'),
    test.move(id, 'processing', 'held', 'paid'), test.move(id, 'shipped', 'held', 'paid')
FROM (VALUES ('00000000-0000-7000-8000-000000000006'::uuid)) AS o (id);
UPDATE stock.reservations SET status = 'shipped' WHERE order_id = '00000000-0000-7000-8000-000000000006';
SELECT test.move(id, 'in_transit', 'shipped', 'paid'), test.move(id, 'delivered', 'shipped', 'paid'), test.enter(id, 'refunded', 2000, 'back_' || id)
FROM (VALUES ('00000000-0000-7000-8000-000000000006'::uuid)) AS o (id);
-- ...07: pending, nothing done for it yet.
SELECT test.place('00000000-0000-7000-8000-000000000007');
-- ...08: confirmed and paid, its shipment planned.
SELECT test.place(id), test.hold(id), test.open(id), test.enter(id, 'captured', 2000, 'ref_' || id), test.move(id, 'confirmed', 'held', 'paid')
FROM (VALUES ('00000000-0000-7000-8000-000000000008'::uuid)) AS o (id);
INSERT INTO delivery.shipments (shipment_id, order_id, carrier, tracking_number, pickup)
VALUES ('00000000-0000-7000-8000-000000000008', '00000000-0000-7000-8000-000000000008', 'popup', 'PU8', false);
INSERT INTO delivery.tracking (shipment_id, n, status) VALUES ('00000000-0000-7000-8000-000000000008', 1, 'planned');

INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event) VALUES ('1', 'order.placed', '/functions/place-order', 'send-email', 'poison', 'test', '');
INSERT INTO bus.dead_letter_actions (dead_letter_id, action, by) SELECT dead_letter_id, 'discard', 'test' FROM bus.dead_letters;

INSERT INTO accounts.users (user_id, email, role) VALUES
    ('00000000-0000-7000-8000-000000000001', 'admin@example.test', 'admin'), ('00000000-0000-7000-8000-000000000002', 'ada@example.test', 'customer');
INSERT INTO accounts.users (user_id, email, active, closed_at) VALUES ('00000000-0000-7000-8000-000000000003', '', false, now());
-- ...07 is the customer's.
WITH changed AS (
    UPDATE orders.orders SET customer_id = '00000000-0000-7000-8000-000000000002', version = version + 1
    WHERE order_id = '00000000-0000-7000-8000-000000000007'
    RETURNING *
)
INSERT INTO orders.history (order_id, version, from_status, to_status, stock, payment, reason, deadline, by, cause)
SELECT order_id, version, status, status, stock, payment, reason, deadline, 'test', 'test' FROM changed;
-- An authorised amount of 20.00.
INSERT INTO payments.authorisations (authorisation_id, owner_id, amount_minor, currency)
VALUES ('00000000-0000-7000-8000-0000000000d1', '00000000-0000-7000-8000-0000000000d2', 2000, 'EUR');
