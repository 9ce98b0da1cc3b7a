-- an order that ended over 60 s ago holds no stock
SELECT r.reservation_id FROM stock.reservations r JOIN orders.orders o USING (order_id)
WHERE r.status = 'held' AND o.deadline IS NULL AND o.updated_at < now() - interval '60 s'
