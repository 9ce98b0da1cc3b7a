-- no payment is opened before stock is held
SELECT p.payment_id FROM payments.payments p WHERE NOT EXISTS (SELECT FROM stock.reservations r WHERE r.order_id = p.order_id)
