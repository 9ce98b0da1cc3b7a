-- every event of a function has a cause that the function handled
SELECT e.event_id FROM bus.event e
WHERE EXISTS (SELECT FROM bus.event c WHERE c.event_id = e.causation_id)
AND NOT EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = e.causation_id AND '/functions/' || i.consumer = e.source)
