-- written by: the same functions as before
-- Names in the field's terms. The event id, the consumer and the meaning of every row stay what they were.

-- +goose Up
ALTER TABLE bus.parked RENAME TO dead_letters;
ALTER TABLE bus.dead_letters RENAME COLUMN parked_id TO dead_letter_id;
ALTER TABLE bus.dead_letters RENAME COLUMN parked_at TO stored_at;
ALTER TABLE bus.dead_letters RENAME CONSTRAINT parked_kind_known TO dead_letter_kind_known;
ALTER INDEX bus.parked_once_per_event_and_consumer RENAME TO dead_letters_once_per_event_and_consumer;
ALTER INDEX bus.parked_by_event RENAME TO dead_letters_by_event;

ALTER TABLE bus.parked_act RENAME TO dead_letter_actions;
ALTER TABLE bus.dead_letter_actions RENAME COLUMN parked_id TO dead_letter_id;
ALTER TABLE bus.dead_letter_actions RENAME COLUMN act TO action;
ALTER INDEX bus.parked_act_by_dead_letter RENAME TO dead_letter_actions_by_dead_letter;
ALTER TRIGGER parked_act_never_changes ON bus.dead_letter_actions RENAME TO dead_letter_actions_never_changes;

ALTER TABLE bus.unheard RENAME TO undelivered;
ALTER INDEX bus.unheard_by_next RENAME TO undelivered_by_next;

-- drop_month drops the log of one month once every event in it is delivered, swept, and not an open dead letter.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION bus.drop_month(month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lowest  uuid := bus.first_id_of(month::timestamp AT TIME ZONE 'UTC');
    highest uuid := bus.first_id_of((month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
    part    text := to_char(month, '_YYYY_MM');
BEGIN
    IF EXISTS (SELECT FROM bus.undelivered WHERE event_id >= lowest AND event_id < highest) THEN
        RAISE EXCEPTION 'drop month %: some of its events are not delivered', month;
    END IF;
    IF EXISTS (SELECT FROM bus.event e, bus.sweep s WHERE e.event_id >= lowest AND e.event_id < highest AND e.xid >= s.mark) THEN
        RAISE EXCEPTION 'drop month %: it is not swept yet', month;
    END IF;
    IF EXISTS (SELECT FROM bus.dead_letters d JOIN bus.event e ON e.event_id = bus.id_of(d.event_id)
               WHERE d.resolved_at IS NULL AND e.event_id >= lowest AND e.event_id < highest) THEN
        RAISE EXCEPTION 'drop month %: some of its events are dead letters', month;
    END IF;
    EXECUTE format('DROP TABLE bus.%I, bus.%I', 'event' || part, 'inbox' || part);
END $$;
-- +goose StatementEnd
