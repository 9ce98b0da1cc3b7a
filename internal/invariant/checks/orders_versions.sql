-- versions run from 1 to the current one without a gap
SELECT o.order_id FROM orders.orders o
LEFT JOIN orders.history h USING (order_id)
GROUP BY o.order_id, o.version
HAVING count(h.version) <> o.version OR min(h.version) <> 1 OR max(h.version) <> o.version
