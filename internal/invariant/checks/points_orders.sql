-- an open order holds its points; a completed one has spent them, 60 s later
SELECT o.order_id FROM orders.orders o LEFT JOIN points.entries e USING (order_id)
WHERE o.status NOT IN ('cancelling', 'cancelled', 'rejected', 'expired', 'returned')
AND (o.points > 0 OR e.entry_id IS NOT NULL) AND (o.status <> 'completed' OR o.updated_at < now() - interval '60 s')
GROUP BY o.order_id
HAVING o.points <> CASE o.status
    WHEN 'completed' THEN coalesce(sum(e.points) FILTER (WHERE e.kind = 'spend'), 0)
    ELSE coalesce(sum(e.held), 0) END
