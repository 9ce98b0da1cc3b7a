-- no event waits for a listener for over 15 minutes
SELECT event_id FROM bus.unheard WHERE created_at < now() - interval '15 min'
