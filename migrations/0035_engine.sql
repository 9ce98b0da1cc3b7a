-- written by: serve-events (bus.parked_act)
-- What staff sees of the functions: events and orders as they change, dead letters with notes, mails sent again.

-- +goose Up

-- versions returns the current versions of some orders, and nothing else about them: one query for all open streams.
-- +goose StatementBegin
CREATE FUNCTION orders.versions(asked uuid[]) RETURNS TABLE (order_id uuid, version bigint) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT o.order_id, o.version FROM orders.orders o WHERE o.order_id = ANY (asked);
END $$;
-- +goose StatementEnd

-- The events of the last hour or day, by their time: that in an event's id is the time of its first cause.
CREATE INDEX event_by_time ON bus.event USING brin (created_at) WITH (autosummarize = on);

-- Why a person gave a dead letter up. A line of the audit log follows from what staff does about dead letters.
ALTER TABLE bus.dead_letter_actions ADD COLUMN note text NOT NULL DEFAULT ''
    CONSTRAINT dead_letter_actions_note_at_most_500 CHECK (length(note) <= 500);
CREATE TRIGGER dead_letter_actions_audited AFTER INSERT ON bus.dead_letter_actions
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client'))
    EXECUTE FUNCTION bus.note_change('dead letter', 'dead_letter_id', 'action', 'note');
