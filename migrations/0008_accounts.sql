-- written by: serve-accounts (users, passwords, sessions, spent_tokens, addresses, guests, clients, ssh_keys, throttles, orders.addresses), popup migrate (users, passwords), triggers (bus.audit)
-- Who somebody is. What must stay secret is in tables of its own, which nobody reads but who writes them.

-- +goose Up
CREATE SCHEMA accounts;

-- Who calls, as the first statement of every call's transaction says: nobody when nothing is said.
CREATE FUNCTION bus.caller() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('popup.caller', true), '')::uuid $$;
CREATE FUNCTION bus.caller_is_staff() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('popup.role', true), '') IN ('staff', 'admin')
$$;
CREATE FUNCTION bus.caller_is_admin() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('popup.role', true), '') = 'admin'
$$;

-- Steps are told events by the broker and serve nobody in particular: they see all rows. Functions with a door see what
-- their caller may see.
-- +goose StatementBegin
DO $$
BEGIN
    CREATE ROLE popup_steps NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- roles belong to the whole server
END $$;
-- +goose StatementEnd

CREATE TABLE accounts.users (
    user_id    uuid        PRIMARY KEY,
    email      text        NOT NULL CONSTRAINT users_email_at_most_254 CHECK (length(email) <= 254),
    name       text        NOT NULL DEFAULT '',
    phone      text        NOT NULL DEFAULT '',
    role       text        NOT NULL DEFAULT 'customer' CONSTRAINT users_role_known CHECK (role IN ('customer', 'staff', 'admin')),
    active     boolean     NOT NULL DEFAULT true,
    locale     text        NOT NULL DEFAULT 'en',
    closed_at  timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT closed_accounts_name_nobody CHECK
        (CASE WHEN closed_at IS NULL THEN email <> '' ELSE (email, name, phone, active) = ('', '', '', false) END)
);
CREATE UNIQUE INDEX users_email_unique ON accounts.users (lower(email)) WHERE closed_at IS NULL;
CREATE INDEX users_by_creation ON accounts.users (created_at, user_id);
CREATE TRIGGER users_keep_times BEFORE UPDATE ON accounts.users FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

CREATE TABLE accounts.passwords (
    user_id uuid PRIMARY KEY REFERENCES accounts.users,
    hash    text NOT NULL CONSTRAINT passwords_are_hashed CHECK (hash ~ '^\$(argon2id|2[aby])\$')
);
COMMENT ON TABLE accounts.passwords IS 'secret';

-- A session is a chain of refresh tokens, of which the last one counts.
CREATE TABLE accounts.sessions (
    session_id   uuid        PRIMARY KEY,
    user_id      uuid        NOT NULL REFERENCES accounts.users,
    refresh_hash bytea       NOT NULL CONSTRAINT sessions_refresh_token_unique UNIQUE,
    source       text        NOT NULL,
    agent        text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    used_at      timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz
);
CREATE INDEX sessions_by_user ON accounts.sessions (user_id, created_at);
COMMENT ON TABLE accounts.sessions IS 'secret';

CREATE TABLE accounts.spent_tokens (
    refresh_hash bytea       PRIMARY KEY,
    session_id   uuid        NOT NULL REFERENCES accounts.sessions ON DELETE CASCADE,
    spent_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX spent_tokens_by_session ON accounts.spent_tokens (session_id);
COMMENT ON TABLE accounts.spent_tokens IS 'secret';

CREATE TABLE accounts.addresses (
    address_id    uuid        PRIMARY KEY,
    user_id       uuid        NOT NULL REFERENCES accounts.users,
    name          text        NOT NULL,
    phone         text        NOT NULL,
    country       text        NOT NULL,
    postal_code   text        NOT NULL,
    prefecture    text        NOT NULL,
    region        text        NOT NULL,
    city          text        NOT NULL,
    address_line1 text        NOT NULL,
    address_line2 text        NOT NULL,
    is_default    boolean     NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX addresses_by_user ON accounts.addresses (user_id);
CREATE UNIQUE INDEX one_default_address_per_user ON accounts.addresses (user_id) WHERE is_default;
CREATE TRIGGER addresses_keep_times BEFORE UPDATE ON accounts.addresses FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

CREATE TABLE accounts.guests (
    guest_id   uuid        PRIMARY KEY,
    name       text        NOT NULL CONSTRAINT guests_have_a_name CHECK (btrim(name) <> ''),
    phone      text        NOT NULL CONSTRAINT guests_have_a_phone CHECK (btrim(phone) <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER guests_keep_times BEFORE UPDATE ON accounts.guests FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

CREATE TABLE accounts.clients (
    client_id   uuid        PRIMARY KEY,
    name        text        NOT NULL CONSTRAINT clients_have_a_name CHECK (btrim(name) <> ''),
    secret_hash bytea       NOT NULL,
    scopes      text[]      NOT NULL CONSTRAINT clients_may_do_something CHECK (cardinality(scopes) > 0),
    owner_id    uuid        NOT NULL REFERENCES accounts.users,
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE accounts.clients IS 'secret';

CREATE TABLE accounts.ssh_keys (
    key_id       uuid        PRIMARY KEY,
    user_id      uuid        NOT NULL REFERENCES accounts.users,
    name         text        NOT NULL,
    public_key   text        NOT NULL,
    fingerprint  text        NOT NULL CONSTRAINT ssh_keys_belong_to_one_account UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz
);
CREATE INDEX ssh_keys_by_user ON accounts.ssh_keys (user_id);

-- How often somebody failed to show who they are, and when they may try again. Keys are hashed: no address, no name.
CREATE TABLE accounts.throttles (
    key        text        PRIMARY KEY,
    failures   integer     NOT NULL,
    free_at    timestamptz NOT NULL,
    touched_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX throttles_by_touch ON accounts.throttles (touched_at);
COMMENT ON TABLE accounts.throttles IS 'secret';

-- One admin stays. Whoever takes one away waits for everybody else who does, and counts then.
-- +goose StatementBegin
CREATE FUNCTION accounts.guard_user() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.role, NEW.active) <> (OLD.role, OLD.active) AND NEW.closed_at IS NULL
        AND coalesce(current_setting('popup.act', true), '') <> '' AND NOT bus.caller_is_admin() THEN
        RAISE EXCEPTION 'role and activity of user % are for admins to change', OLD.user_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'users_are_raised_by_admins';
    END IF;
    IF OLD.role = 'admin' AND OLD.active AND (TG_OP = 'DELETE' OR NEW.role <> 'admin' OR NOT NEW.active) THEN
        PERFORM pg_advisory_xact_lock(hashtext('the last admin'));
        IF NOT EXISTS (SELECT FROM accounts.users WHERE role = 'admin' AND active AND user_id <> OLD.user_id) THEN
            RAISE EXCEPTION 'user % is the last admin', OLD.user_id USING ERRCODE = 'check_violation', CONSTRAINT = 'the_last_admin_stays';
        END IF;
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
-- +goose StatementEnd
CREATE TRIGGER users_guarded BEFORE UPDATE OR DELETE ON accounts.users FOR EACH ROW EXECUTE FUNCTION accounts.guard_user();

-- A new default clears the old one. The user's row is locked first, so that the second of two sees the first.
-- +goose StatementBegin
CREATE FUNCTION accounts.clear_default() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM accounts.users WHERE user_id = NEW.user_id FOR NO KEY UPDATE;
    UPDATE accounts.addresses SET is_default = false
    WHERE user_id = NEW.user_id AND address_id <> NEW.address_id AND is_default;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER addresses_have_one_default BEFORE INSERT OR UPDATE OF is_default ON accounts.addresses
    FOR EACH ROW WHEN (NEW.is_default) EXECUTE FUNCTION accounts.clear_default();

-- standing is what has become of whoever a token names: their role now, '' when they may not come in any more, and whether
-- their session still runs.
-- +goose StatementBegin
CREATE FUNCTION accounts.standing(role text, id uuid, session uuid, OUT role_now text, OUT live boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    live := true;
    CASE role
    WHEN 'guest' THEN SELECT 'guest' INTO role_now FROM accounts.guests g WHERE g.guest_id = id;
    WHEN 'client' THEN
        SELECT 'client' INTO role_now FROM accounts.clients c JOIN accounts.users u ON u.user_id = c.owner_id WHERE c.client_id = id AND u.active;
    ELSE
        SELECT u.role, s.session_id IS NOT NULL INTO role_now, live
        FROM accounts.users u
        LEFT JOIN accounts.sessions s ON s.session_id = session AND s.user_id = u.user_id AND s.ended_at IS NULL
        WHERE u.user_id = id AND u.active;
    END CASE;
    role_now := coalesce(role_now, '');
    live := coalesce(live, false);
END $$;
-- +goose StatementEnd

-- Those who show a secret are found by it, before it is known who they are: each of these tells about its holder only.
CREATE FUNCTION accounts.user_of_email(asked text) RETURNS TABLE (user_id uuid, role text, active boolean, hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.user_id, u.role, u.active, p.hash
    FROM accounts.users u JOIN accounts.passwords p USING (user_id)
    WHERE lower(u.email) = lower(asked) AND u.closed_at IS NULL
$$;
CREATE FUNCTION accounts.known_source(asked uuid, source text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM accounts.sessions s WHERE s.user_id = asked AND s.source = known_source.source)
$$;
CREATE FUNCTION accounts.session_of_token(asked bytea) RETURNS TABLE (session_id uuid, user_id uuid, spent boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.session_id, s.user_id, false FROM accounts.sessions s WHERE s.refresh_hash = asked
    UNION ALL
    SELECT s.session_id, s.user_id, true FROM accounts.spent_tokens t JOIN accounts.sessions s USING (session_id) WHERE t.refresh_hash = asked
$$;
CREATE FUNCTION accounts.guest_of_phone(asked uuid, shown text) RETURNS TABLE (guest_id uuid, name text, phone text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT g.guest_id, g.name, g.phone FROM accounts.guests g
    WHERE g.guest_id = asked AND regexp_replace(g.phone, '[^0-9+]', '', 'g') = regexp_replace(shown, '[^0-9+]', '', 'g')
$$;
CREATE FUNCTION accounts.client_of_secret(asked uuid, secret bytea) RETURNS TABLE (client_id uuid, scopes text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.client_id, c.scopes FROM accounts.clients c WHERE c.client_id = asked AND c.secret_hash = secret
$$;
COMMENT ON FUNCTION accounts.user_of_email IS 'secret of accounts.passwords';
COMMENT ON FUNCTION accounts.known_source IS 'secret of accounts.sessions';
COMMENT ON FUNCTION accounts.session_of_token IS 'secret of accounts.sessions';
COMMENT ON FUNCTION accounts.guest_of_phone IS 'secret of accounts.guests';
COMMENT ON FUNCTION accounts.client_of_secret IS 'secret of accounts.clients';
REVOKE EXECUTE ON FUNCTION accounts.user_of_email, accounts.known_source, accounts.session_of_token, accounts.guest_of_phone,
    accounts.client_of_secret FROM PUBLIC;

-- Who did what. A change that staff, an admin or a client makes writes its line by itself: nobody can forget to, and no
-- function has the right to. Columns with what is personal or secret are left out. The conditions are written out: they are
-- prepared for each statement, and a function in them would be taken apart each time.
CREATE TABLE bus.audit (
    audit_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    by       uuid,
    role     text        NOT NULL,
    act      text        NOT NULL,
    object   text        NOT NULL,
    before   jsonb,
    after    jsonb
);
CREATE INDEX audit_by_time ON bus.audit (at);
CREATE INDEX audit_by_object ON bus.audit (object);
CREATE TRIGGER audit_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON bus.audit
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

-- note_change(kind, id column, columns that are kept …)
-- +goose StatementBegin
CREATE FUNCTION bus.note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) END;
    after  jsonb := CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) END;
    kept   text[] := TG_ARGV[2:TG_NARGS - 1];
    id     text := coalesce(after, before) ->> TG_ARGV[1];
BEGIN
    SELECT jsonb_object_agg(key, value) INTO before FROM jsonb_each(before) WHERE key = ANY (kept);
    SELECT jsonb_object_agg(key, value) INTO after FROM jsonb_each(after) WHERE key = ANY (kept);
    IF before IS DISTINCT FROM after THEN
        INSERT INTO bus.audit (by, role, act, object, before, after)
        VALUES (bus.caller(), current_setting('popup.role', true), coalesce(current_setting('popup.act', true), ''), TG_ARGV[0] || ' ' || id, before, after);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER users_audited AFTER INSERT OR UPDATE OR DELETE ON accounts.users
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client')) EXECUTE FUNCTION bus.note_change('user', 'user_id', 'role', 'active');
CREATE TRIGGER clients_audited AFTER INSERT OR UPDATE OR DELETE ON accounts.clients
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client')) EXECUTE FUNCTION bus.note_change('client', 'client_id', 'name', 'scopes', 'owner_id');
CREATE TRIGGER products_audited AFTER INSERT OR UPDATE OR DELETE ON catalogue.products
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client')) EXECUTE FUNCTION bus.note_change('product', 'product_id', 'store_id', 'category_id', 'name', 'description', 'sku', 'price_minor', 'currency', 'tags', 'active', 'deleted_at');
CREATE TRIGGER stores_audited AFTER INSERT OR UPDATE OR DELETE ON catalogue.stores
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client')) EXECUTE FUNCTION bus.note_change('store', 'store_id', 'name', 'location', 'participating', 'check_delay', 'deleted_at');
CREATE TRIGGER categories_audited AFTER INSERT OR UPDATE OR DELETE ON catalogue.categories
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client')) EXECUTE FUNCTION bus.note_change('category', 'category_id', 'name', 'parent_id');
CREATE TRIGGER variants_audited AFTER INSERT OR UPDATE OR DELETE ON catalogue.variants
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client')) EXECUTE FUNCTION bus.note_change('variant', 'variant_id', 'name', 'sku', 'attributes', 'price_minor', 'deleted_at');
CREATE TRIGGER warehouses_audited AFTER INSERT OR UPDATE OR DELETE ON stock.warehouses
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client')) EXECUTE FUNCTION bus.note_change('warehouse', 'warehouse_id', 'name', 'location', 'priority', 'deleted_at');
CREATE TRIGGER holds_audited AFTER INSERT OR UPDATE ON stock.holds
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client')) EXECUTE FUNCTION bus.note_change('hold', 'hold_id', 'status', 'expires_at');
CREATE TRIGGER levels_audited AFTER INSERT OR UPDATE OR DELETE ON stock.levels
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client')) EXECUTE FUNCTION bus.note_change('stock', 'level_id', 'sku', 'on_hand', 'reserved');
CREATE TRIGGER orders_audited AFTER UPDATE ON orders.orders
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client')) EXECUTE FUNCTION bus.note_change('order', 'order_id', 'status', 'customer_id');

-- A row is its owner's. Staff sees all of them. What nothing admits is not there.
ALTER TABLE accounts.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts.passwords ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts.addresses ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts.guests ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts.clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts.ssh_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE bus.audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody_begins_as_customer ON accounts.users AS RESTRICTIVE FOR INSERT WITH CHECK (role = 'customer');
CREATE POLICY own ON accounts.users USING (user_id = (SELECT bus.caller()) OR (SELECT bus.caller_is_staff()))
    WITH CHECK (user_id = (SELECT bus.caller()) OR (SELECT bus.caller_is_admin()));
CREATE POLICY own ON accounts.passwords USING (user_id = (SELECT bus.caller()));
CREATE POLICY own ON accounts.sessions USING (user_id = (SELECT bus.caller()) OR (SELECT bus.caller_is_admin()));
CREATE POLICY own ON accounts.addresses USING (user_id = (SELECT bus.caller()) OR (SELECT bus.caller_is_staff()));
CREATE POLICY own ON accounts.guests USING (guest_id = (SELECT bus.caller()) OR (SELECT bus.caller_is_staff()));
CREATE POLICY of_admins ON accounts.clients USING ((SELECT bus.caller_is_admin()));
CREATE POLICY own ON accounts.ssh_keys USING (user_id = (SELECT bus.caller()) OR (SELECT bus.caller_is_staff()));
CREATE POLICY of_admins ON bus.audit FOR SELECT USING ((SELECT bus.caller_is_admin()));
CREATE POLICY steps_see_all ON accounts.users TO popup_steps USING (true);
CREATE POLICY steps_see_all ON accounts.addresses TO popup_steps USING (true);
CREATE POLICY steps_see_all ON accounts.guests TO popup_steps USING (true);
