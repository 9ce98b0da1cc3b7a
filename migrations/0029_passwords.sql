-- written by: serve-accounts (accounts.resets), tidy-shop (accounts.resets)
-- A forgotten password is reset by a mail. A refresh token that was just used works once more for a few seconds.

-- +goose Up
-- session_of_spent_token returns the open session of a refresh token that was used within a time, with what its tokens say.
CREATE FUNCTION accounts.session_of_spent_token(asked bytea, within interval) RETURNS TABLE (session_id uuid, user_id uuid, role text, email text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.session_id, u.user_id, u.role, u.email
    FROM accounts.spent_tokens t JOIN accounts.sessions s USING (session_id) JOIN accounts.users u USING (user_id)
    WHERE t.refresh_hash = asked AND t.spent_at > clock_timestamp() - within AND s.ended_at IS NULL AND s.expires_at > now() AND u.active
$$;
COMMENT ON FUNCTION accounts.session_of_spent_token IS 'secret of accounts.sessions';
REVOKE EXECUTE ON FUNCTION accounts.session_of_spent_token FROM PUBLIC;

-- A request for a new password. user_id is null where nobody has the address: such a request takes as long as any other. The token is
-- made when the mail is written, and only its hash is kept.
CREATE TABLE accounts.resets (
    reset_id   uuid        PRIMARY KEY,
    user_id    uuid        REFERENCES accounts.users,
    token_hash bytea       CONSTRAINT resets_token_unique UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '30 min',
    used_at    timestamptz
);
CREATE INDEX resets_by_expiry ON accounts.resets (expires_at);
CREATE INDEX resets_by_user ON accounts.resets (user_id);
COMMENT ON TABLE accounts.resets IS 'secret';

-- arm_reset gives a request that is still open its token, in the place of an earlier one, and returns whom to write to.
-- +goose StatementBegin
CREATE FUNCTION accounts.arm_reset(asked uuid, hash bytea) RETURNS TABLE (email text, name text, locale text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE accounts.resets r SET token_hash = hash WHERE r.reset_id = asked AND r.used_at IS NULL AND r.expires_at > now();
    RETURN QUERY SELECT u.email, u.name, u.locale FROM accounts.resets r JOIN accounts.users u USING (user_id)
    WHERE r.reset_id = asked AND r.used_at IS NULL AND r.expires_at > now() AND u.active AND u.closed_at IS NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION accounts.arm_reset IS 'secret of mail.mails';
REVOKE EXECUTE ON FUNCTION accounts.arm_reset FROM PUBLIC;

-- use_reset ends the request of a token and all others of its user, sets the password, and returns the user; nothing for a token that is
-- not known, was used or is too old.
-- +goose StatementBegin
CREATE FUNCTION accounts.use_reset(shown bytea, new_hash text) RETURNS TABLE (user_id uuid, email text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid;
BEGIN
    UPDATE accounts.resets r SET used_at = now() WHERE r.token_hash = shown AND r.used_at IS NULL AND r.expires_at > now()
    RETURNING r.user_id INTO owner;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE accounts.resets r SET used_at = now() WHERE r.user_id = owner AND r.used_at IS NULL;
    UPDATE accounts.passwords p SET hash = new_hash WHERE p.user_id = owner;
    UPDATE accounts.sessions s SET ended_at = now() WHERE s.user_id = owner AND s.ended_at IS NULL;
    RETURN QUERY SELECT u.user_id, u.email FROM accounts.users u WHERE u.user_id = owner AND u.active AND u.closed_at IS NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION accounts.use_reset IS 'secret of accounts.passwords';
REVOKE EXECUTE ON FUNCTION accounts.use_reset FROM PUBLIC;
