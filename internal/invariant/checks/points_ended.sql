-- an order that ended over 60 s ago holds no points
SELECT o.order_id FROM orders.orders o JOIN points.entries e USING (order_id)
WHERE o.status IN ('completed', 'cancelled', 'rejected', 'expired') AND o.updated_at < now() - interval '60 s'
GROUP BY o.order_id HAVING sum(e.held) <> 0
