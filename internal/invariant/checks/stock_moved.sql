-- a reservation has the movements of its status
SELECT r.reservation_id FROM stock.reservations r
LEFT JOIN stock.movements m ON m.reservation_id = r.reservation_id AND m.kind <> 'inbound' -- of goods that came back
GROUP BY r.reservation_id
HAVING array_agg(m.kind ORDER BY m.kind) <> CASE r.status
    WHEN 'held' THEN ARRAY['reservation']
    WHEN 'released' THEN ARRAY['release', 'reservation']
    ELSE ARRAY['outbound', 'reservation'] END
OR bool_or(m.quantity <> r.quantity) OR count(m.kind) = 0
