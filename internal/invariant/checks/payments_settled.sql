-- completed means captured - refunded = total less what staff refunded; cancelled, rejected and expired mean 0
SELECT o.order_id FROM orders.orders o LEFT JOIN payments.payments p USING (order_id)
WHERE o.status IN ('completed', 'cancelled', 'rejected', 'expired')
GROUP BY o.order_id, o.status, o.total_minor
HAVING coalesce(sum(p.captured_minor - p.refunded_minor), 0) <> CASE o.status WHEN 'completed' THEN o.total_minor - (
    SELECT coalesce(sum(r.amount_minor), 0) FROM payments.refunds r
    WHERE r.order_id = o.order_id AND r.status = 'refunded' AND r.of_suspense IS NULL) ELSE 0 END
