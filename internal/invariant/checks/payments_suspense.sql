-- no money has been in suspense for over 60 s, but what staff has to decide about
SELECT payment_id FROM payments.suspense s WHERE returned_at IS NULL AND came_at < now() - interval '60 s'
AND NOT EXISTS (SELECT FROM payments.refunds r WHERE r.payment_id = s.payment_id AND r.status = 'failed')
AND (why <> 'wrong' OR EXISTS (
    SELECT FROM orders.orders o WHERE o.order_id = s.order_id AND o.status IN ('cancelled', 'rejected', 'expired')))
