-- reserved is the sum of open reservations
SELECT l.level_id FROM stock.levels l
LEFT JOIN stock.reservations r ON r.level_id = l.level_id AND r.status = 'held'
GROUP BY l.level_id, l.reserved
HAVING l.reserved <> coalesce(sum(r.quantity), 0)
