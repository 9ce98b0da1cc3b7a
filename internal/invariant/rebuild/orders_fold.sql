-- folding an order's log gives its current row
SELECT o.order_id FROM orders.orders o
JOIN LATERAL (
    SELECT to_status, stock, payment, reason, deadline FROM orders.history h WHERE h.order_id = o.order_id ORDER BY version DESC LIMIT 1
) last ON true
WHERE (last.to_status, last.stock, last.payment, last.reason, last.deadline) IS DISTINCT FROM (o.status, o.stock, o.payment, o.reason, o.deadline)
