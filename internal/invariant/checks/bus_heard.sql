-- every handled event is in the event store
SELECT i.event_id FROM bus.inbox i LEFT JOIN bus.event e USING (event_id) WHERE e.event_id IS NULL
