-- every step of an order's log begins where the one before ended, and is a move of the table
SELECT h.order_id, h.version FROM (
    SELECT *, lag(to_status) OVER (PARTITION BY order_id ORDER BY version) AS before FROM orders.history) h
WHERE h.before IS DISTINCT FROM h.from_status
OR h.from_status <> h.to_status AND NOT EXISTS (SELECT FROM orders.moves m WHERE (m.from_status, m.to_status) = (h.from_status, h.to_status))
