-- One completed order and one that waits, as the shop would have left them. Triggers are off: what breaks a promise comes next.
SET session_replication_role = replica;
INSERT INTO stock.warehouses (warehouse_id, name) VALUES ('00000000-0000-7000-8000-0000000000b1', 'Harbour');
INSERT INTO stock.levels (level_id, sku, warehouse_id, on_hand, reserved) VALUES
    ('00000000-0000-7000-8000-0000000000a1', 'TEE', '00000000-0000-7000-8000-0000000000b1', 8, 2);
INSERT INTO orders.orders (order_id, order_number, status, stock, payment, version, currency, subtotal_minor, delivery_fee_minor, tax_minor,
    discount_minor, total_minor, payment_method, pickup, locale, stock_check_at, payment_check_at, deadline, created_at, updated_at)
SELECT id, number, status, stock, payment, version, 'EUR', 2000, 0, 0, 0, 2000, 'simulated', false, 'en', now(), now(), now() + wait,
    now() - interval '10 min', now() - interval '9 min'
FROM (VALUES ('00000000-0000-7000-8000-000000000001'::uuid, 'ORD-20260131-000001', 'completed', 'shipped', 'paid', 7, NULL::interval),
    ('00000000-0000-7000-8000-000000000002', 'ORD-20260131-000002', 'pending', 'held', 'pending', 2, '1 hour')) AS o (id, number, status, stock, payment, version, wait);
INSERT INTO orders.lines (order_id, line, product_id, sku, store_id, store_name, product_name, quantity, unit_price_minor, total_minor)
SELECT order_id, 1, gen_random_uuid(), 'TEE', gen_random_uuid(), 'S', 'T-shirt', 2, 1000, 2000 FROM orders.orders;
INSERT INTO orders.history (order_id, version, from_status, to_status, stock, payment, reason, deadline, by, cause)
SELECT '00000000-0000-7000-8000-000000000001', n, before, status, stock, payment, '', NULL, 'test', 'test'
FROM (VALUES (1, NULL, 'pending', 'pending', 'pending'), (2, 'pending', 'confirmed', 'held', 'paid'), (3, 'confirmed', 'processing', 'held', 'paid'),
    (4, 'processing', 'shipped', 'shipped', 'paid'), (5, 'shipped', 'in_transit', 'shipped', 'paid'), (6, 'in_transit', 'delivered', 'shipped', 'paid'),
    (7, 'delivered', 'completed', 'shipped', 'paid')) AS h (n, before, status, stock, payment);
INSERT INTO orders.history (order_id, version, from_status, to_status, stock, payment, reason, deadline, by, cause)
SELECT order_id, n, before, 'pending', side, 'pending', '', deadline, 'test', 'test'
FROM orders.orders, (VALUES (1, NULL, 'pending'), (2, 'pending', 'held')) AS h (n, before, side) WHERE status = 'pending';
INSERT INTO stock.reservations (reservation_id, order_id, line, level_id, quantity, status, updated_at) VALUES
    ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 1, '00000000-0000-7000-8000-0000000000a1', 2, 'shipped', now() - interval '9 min'),
    ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000002', 1, '00000000-0000-7000-8000-0000000000a1', 2, 'held', now() - interval '9 min');
INSERT INTO stock.movements (level_id, kind, quantity, reservation_id, reference) VALUES
    ('00000000-0000-7000-8000-0000000000a1', 'inbound', 9, NULL, 'x'), ('00000000-0000-7000-8000-0000000000a1', 'adjustment', 1, NULL, 'x'),
    ('00000000-0000-7000-8000-0000000000a1', 'reservation', 2, '00000000-0000-7000-8000-000000000001', 'x'),
    ('00000000-0000-7000-8000-0000000000a1', 'outbound', 2, '00000000-0000-7000-8000-000000000001', 'x'),
    ('00000000-0000-7000-8000-0000000000a1', 'reservation', 2, '00000000-0000-7000-8000-000000000002', 'x');
INSERT INTO payments.payments (payment_id, order_id, method, provider, status, amount_minor, currency, captured_minor) VALUES
    ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 'simulated', 'simulated', 'paid', 2000, 'EUR', 2000);
INSERT INTO payments.authorisations (authorisation_id, owner_id, amount_minor, used_minor, currency) VALUES
    ('00000000-0000-7000-8000-0000000000d1', gen_random_uuid(), 2500, 2000, 'EUR'), (gen_random_uuid(), gen_random_uuid(), 2500, 0, 'EUR');
UPDATE payments.payments SET authorisation_id = '00000000-0000-7000-8000-0000000000d1';
INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref) VALUES
    ('00000000-0000-7000-8000-000000000001', 'created', 2000, 'EUR', 'simulated', '1'), ('00000000-0000-7000-8000-000000000001', 'captured', 2000, 'EUR', 'simulated', '1');
INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency, why, came_at, returned_at) VALUES
    ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 'simulated', '1', 1, 'EUR', 'double', now() - interval '1 hour', now()),
    (gen_random_uuid(), gen_random_uuid(), 'x', 'x', 1, 'EUR', 'late', now(), NULL);
INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status, of_suspense) VALUES
    (gen_random_uuid(), '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 1, 'EUR', 'paid_twice', 'check-payment', 'refunded', 'double');
INSERT INTO delivery.shipments (shipment_id, order_id, carrier, tracking_number, status, pickup, updated_at) VALUES
    ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 'popup', 'PU1', 'delivered', false, now() - interval '9 min');
INSERT INTO delivery.tracking (shipment_id, n, status) VALUES
    ('00000000-0000-7000-8000-000000000001', 1, 'planned'), ('00000000-0000-7000-8000-000000000001', 2, 'delivered');
INSERT INTO mail.mails (mail_id, order_id, kind, status, taken_by, taken_at) VALUES
    (gen_random_uuid(), '00000000-0000-7000-8000-000000000001', 'payment_paid', 'sent', gen_random_uuid(), now() - interval '1 hour');
INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, data, created_at)
SELECT id, type, source, 'x', order_id, cause, 0, '{}', now() - interval '10 min'
FROM (VALUES
    ('00000000-0000-8000-8000-000000000011'::uuid, 'order.placed', '/functions/place-order', '00000000-0000-7000-8000-000000000001'::uuid, gen_random_uuid()),
    ('00000000-0000-8000-8000-000000000012', 'order.placed', '/functions/place-order', '00000000-0000-7000-8000-000000000002', gen_random_uuid()),
    ('00000000-0000-8000-8000-000000000013', 'stock.reserved', '/functions/reserve-stock', '00000000-0000-7000-8000-000000000001', '00000000-0000-8000-8000-000000000011'),
    ('00000000-0000-8000-8000-000000000014', 'order.completed', '/functions/complete-order', '00000000-0000-7000-8000-000000000001', gen_random_uuid()))
    AS said (id, type, source, order_id, cause);
INSERT INTO bus.inbox (event_id, consumer) VALUES ('00000000-0000-8000-8000-000000000011', 'reserve-stock');
INSERT INTO bus.undelivered (event_id, consumer, created_at) VALUES ('00000000-0000-8000-8000-000000000013', 'track-order', now() - interval '10 min');
INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event, resolved_at) VALUES ('1', 'x', 'x', 'x', 'poison', 'x', '', now());
INSERT INTO points.balances (customer_id, available, entries) VALUES ('00000000-0000-7000-8000-0000000000c1', 6, 5);
INSERT INTO points.entries (customer_id, n, kind, points, available, held, debt, order_id, by, reason) VALUES
    ('00000000-0000-7000-8000-0000000000c1', 1, 'adjust', 10, 10, 0, 0, NULL, 'x', 'x'),
    ('00000000-0000-7000-8000-0000000000c1', 2, 'hold', 3, -3, 3, 0, '00000000-0000-7000-8000-000000000001', 'x', 'x'),
    ('00000000-0000-7000-8000-0000000000c1', 3, 'spend', 3, 0, -3, 0, '00000000-0000-7000-8000-000000000001', 'x', 'x'),
    ('00000000-0000-7000-8000-0000000000c1', 4, 'earn', 2, 2, 0, 0, '00000000-0000-7000-8000-000000000001', 'x', 'x'),
    ('00000000-0000-7000-8000-0000000000c1', 5, 'reclaim', 3, -3, 0, 0, '00000000-0000-7000-8000-000000000001', 'x', 'x');
INSERT INTO books.entries
SELECT l.* FROM payments.entries e, books.legs(e) l UNION ALL SELECT l.* FROM payments.suspense e, books.legs(e) l
UNION ALL SELECT l.* FROM payments.refunds e, books.legs(e) l UNION ALL SELECT l.* FROM points.entries e, books.legs(e) l;
INSERT INTO points.lots (entry_id, customer_id, points, expires_at) VALUES (gen_random_uuid(), '00000000-0000-7000-8000-0000000000c1', 10, now() - interval '1 min');
UPDATE orders.orders SET points = 3, tax_minor = 30, discount_minor = 30 WHERE status = 'completed';
