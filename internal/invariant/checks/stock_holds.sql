-- a manual reservation is released with its hold, and at most 2 minutes after its time
SELECT h.hold_id FROM stock.holds h
WHERE h.status = 'held' AND h.expires_at < now() - interval '2 min'
OR h.status <> 'held' AND EXISTS (SELECT FROM stock.reservations r WHERE r.hold_id = h.hold_id AND r.status = 'held')
