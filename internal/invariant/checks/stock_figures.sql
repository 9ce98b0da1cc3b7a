-- on_hand is the sum of its movements
SELECT l.level_id FROM stock.levels l
LEFT JOIN stock.movements m USING (level_id)
GROUP BY l.level_id, l.on_hand
HAVING l.on_hand <> coalesce(sum(CASE m.kind WHEN 'inbound' THEN m.quantity WHEN 'adjustment' THEN m.quantity WHEN 'outbound' THEN -m.quantity ELSE 0 END), 0)
