-- an open order has a deadline, an ended one has none
SELECT order_id FROM orders.orders
WHERE (status IN ('completed', 'returned', 'cancelled', 'rejected', 'expired')) <> (deadline IS NULL)
