-- an order holds every line or none
SELECT o.order_id FROM orders.orders o
JOIN orders.lines l USING (order_id)
LEFT JOIN (SELECT order_id, line, sum(quantity) AS held FROM stock.reservations GROUP BY 1, 2) r USING (order_id, line)
GROUP BY o.order_id
HAVING count(r.line) > 0 AND bool_or(coalesce(r.held, 0) <> l.quantity)
