-- written by: every function (bus.parked)
-- Before a due item is emitted, its dead letters are looked up by its event id: those that wait for a person, and those that one
-- gave up.

-- +goose Up
CREATE INDEX parked_by_event ON bus.parked (event_id);
CREATE INDEX parked_act_by_dead_letter ON bus.parked_act (parked_id);
