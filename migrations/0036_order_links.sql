-- written by: popup migrate (orders.token_keys)
-- Links in mails that open a guest's order, and mails that staff sends again.

-- +goose Up

-- The key that tokens of guests' orders are derived from, so that each mail about an order has the same one. Orders keep its hash.
CREATE TABLE orders.token_keys (
    key        bytea       NOT NULL CONSTRAINT token_keys_at_least_32_bytes CHECK (length(key) >= 32),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE orders.token_keys IS 'secret';
INSERT INTO orders.token_keys (key)
SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- +goose StatementBegin
CREATE FUNCTION orders.token_key() RETURNS bytea LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT k.key FROM orders.token_keys k ORDER BY k.created_at DESC LIMIT 1);
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION mail.token_key() RETURNS bytea LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT k.key FROM orders.token_keys k ORDER BY k.created_at DESC LIMIT 1);
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION orders.token_key, mail.token_key FROM PUBLIC;
COMMENT ON FUNCTION orders.token_key IS 'secret of orders.lines';
COMMENT ON FUNCTION mail.token_key IS 'secret of mail.mails';

-- The last request of staff to send a mail again. It is taken up once, however often its event is delivered.
ALTER TABLE mail.mails ADD COLUMN request_id uuid;

-- note_action writes the line of the audit log about something that staff has a function do later.
-- +goose StatementBegin
CREATE FUNCTION bus.note_action(object text, what jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO bus.audit (by, role, act, object, after)
    VALUES (bus.caller(), current_setting('popup.role', true), coalesce(current_setting('popup.act', true), ''), object, what);
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION bus.note_action FROM PUBLIC;
COMMENT ON FUNCTION bus.note_action IS 'secret of bus.dead_letter_actions';
