-- no event waits for delivery for over 15 minutes
SELECT event_id FROM bus.undelivered WHERE created_at < now() - interval '15 min'
