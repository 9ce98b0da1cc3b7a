-- a reservation has the movements of its status
SELECT r.reservation_id FROM stock.reservations r LEFT JOIN stock.movements m USING (reservation_id)
GROUP BY r.reservation_id
HAVING array_agg(m.kind ORDER BY m.kind) <> CASE r.status
    WHEN 'held' THEN ARRAY['reservation']
    WHEN 'released' THEN ARRAY['release', 'reservation']
    ELSE ARRAY['outbound', 'reservation'] END
OR bool_or(m.quantity <> r.quantity) OR count(m.kind) = 0
