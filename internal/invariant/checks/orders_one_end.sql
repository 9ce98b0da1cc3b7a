-- an order has one end at the most
SELECT order_id FROM bus.event
WHERE type IN ('order.completed', 'order.cancelled', 'order.rejected', 'order.expired')
GROUP BY order_id HAVING count(*) > 1
