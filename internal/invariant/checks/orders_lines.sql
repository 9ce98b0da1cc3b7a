-- the lines of an order add up to its subtotal
SELECT o.order_id FROM orders.orders o LEFT JOIN orders.lines l USING (order_id)
GROUP BY o.order_id
HAVING coalesce(sum(l.total_minor), 0) <> o.subtotal_minor
