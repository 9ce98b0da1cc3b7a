-- every order has its order.placed, and every order.placed its order
SELECT coalesce(o.order_id, e.order_id) FROM orders.orders o
FULL JOIN (SELECT order_id FROM bus.event WHERE type = 'order.placed') e USING (order_id)
WHERE (o.order_id IS NULL OR e.order_id IS NULL) AND coalesce(o.created_at, now()) >= (SELECT coalesce(min(created_at), now()) FROM bus.event)
