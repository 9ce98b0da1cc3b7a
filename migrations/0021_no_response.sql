-- written by: park-event (bus.unheard)
-- An event that its function is reached with and never responds to is a dead letter after a few rounds in a row.

-- +goose Up
ALTER TABLE bus.unheard ADD COLUMN no_response integer NOT NULL DEFAULT 0;
