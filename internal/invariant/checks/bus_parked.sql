-- nothing is parked
SELECT parked_id FROM bus.parked WHERE resolved_at IS NULL
