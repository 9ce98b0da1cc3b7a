-- points are taken at most 2 minutes after they ran out
SELECT entry_id FROM points.lots WHERE expires_at < now() - interval '2 min'
