-- written by: popup parked (bus.parked_act)
-- Before a due item is emitted, its dead letters are looked up by its event id: those that wait for a person, and those that one
-- gave up. An event that its function is reached with and never responds to is a dead letter after a few rounds in a row.

-- +goose Up
CREATE INDEX parked_by_event ON bus.parked (event_id);
CREATE INDEX parked_act_by_dead_letter ON bus.parked_act (parked_id);
ALTER TABLE bus.unheard ADD COLUMN no_response integer NOT NULL DEFAULT 0;
