-- there is no open dead letter
SELECT dead_letter_id FROM bus.dead_letters WHERE resolved_at IS NULL
