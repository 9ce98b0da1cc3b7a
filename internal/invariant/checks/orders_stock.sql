-- the stock side of an order is that of its reservations, 60 s later
SELECT o.order_id FROM orders.orders o
LEFT JOIN stock.reservations r USING (order_id)
GROUP BY o.order_id
HAVING greatest(o.updated_at, max(r.updated_at)) < now() - interval '60 s' AND CASE o.stock
    WHEN 'held' THEN bool_and(r.status = 'held') IS NOT TRUE
    WHEN 'shipped' THEN bool_and(r.status = 'shipped') IS NOT TRUE
    ELSE bool_or(r.status <> 'released') IS TRUE END
