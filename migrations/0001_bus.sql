-- written by: every function (event, inbox, unheard, idempotency, parked), sweep-events (sweep), popup migrate (subscription), popup parked (parked_act)
-- The ledger: what was said, who heard it, and what nobody could handle.

-- +goose Up
CREATE SCHEMA bus;

-- Outbox and log in one. An event inherits the time in its id from its cause, so an order's whole saga lives in one month.
CREATE TABLE bus.event (
    event_id     uuid        PRIMARY KEY,
    type         text        NOT NULL,
    source       text        NOT NULL,
    subject      text        NOT NULL,
    order_id     uuid,
    causation_id uuid        NOT NULL,
    n            smallint    NOT NULL,
    version      bigint      NOT NULL DEFAULT 0,
    delayed      boolean     NOT NULL DEFAULT false,
    traceparent  text        NOT NULL DEFAULT '',
    data         json        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    -- The transaction that said it. Everything below the oldest running transaction is settled, so reading in this order
    -- misses nothing; a sequence could not promise that.
    xid          xid8        NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT event_data_at_most_64_kib CHECK (octet_length(data::text) <= 65536)
) PARTITION BY RANGE (event_id);
CREATE INDEX event_by_order ON bus.event (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX event_by_commit ON bus.event (xid, n);

-- One row per event and function that has handled it.
CREATE TABLE bus.inbox (
    event_id   uuid        NOT NULL,
    consumer   text        NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, consumer)
) PARTITION BY RANGE (event_id);

CREATE TABLE bus.event_other PARTITION OF bus.event DEFAULT;
CREATE TABLE bus.inbox_other PARTITION OF bus.inbox DEFAULT;

-- refuse_claim ends a transaction that wants to handle what the ledger does not know, or what was handled before.
-- +goose StatementBegin
CREATE FUNCTION bus.refuse_claim(known boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF known THEN
        RAISE EXCEPTION 'the event was handled before' USING ERRCODE = 'PU409';
    END IF;
    RAISE EXCEPTION 'the ledger does not know the event' USING ERRCODE = 'PU404';
END $$;
-- +goose StatementEnd

-- Who is told what, and since when. Written from the functions' declarations.
CREATE TABLE bus.subscription (
    type     text        NOT NULL,
    consumer text        NOT NULL,
    since    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (type, consumer)
);

-- Receipts that were slow: what the sweeper publishes again. Everything else below the sweep's mark was heard.
CREATE TABLE bus.unheard (
    event_id   uuid        NOT NULL,
    consumer   text        NOT NULL,
    created_at timestamptz NOT NULL,
    attempts   integer     NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, consumer)
);
CREATE INDEX unheard_by_next ON bus.unheard (next_at);

-- Up to where the sweeper has looked. One row.
CREATE TABLE bus.sweep (
    one_row  boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    mark     xid8    NOT NULL
);
INSERT INTO bus.sweep (mark) VALUES ('0');

-- What nobody could handle, whoever noticed.
CREATE TABLE bus.parked (
    parked_id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    text        NOT NULL,
    type        text        NOT NULL,
    source      text        NOT NULL,
    consumer    text        NOT NULL,
    revision    text        NOT NULL DEFAULT '',
    kind        text        NOT NULL CONSTRAINT parked_kind_known CHECK (kind IN ('poison', 'unknown', 'unreadable', 'undelivered')),
    reason      text        NOT NULL,
    attempts    integer     NOT NULL DEFAULT 1,
    event       bytea       NOT NULL,
    parked_at   timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz
);
CREATE UNIQUE INDEX parked_once_per_event_and_consumer ON bus.parked (event_id, consumer) WHERE resolved_at IS NULL;

-- What people did about it.
CREATE TABLE bus.parked_act (
    parked_id bigint      NOT NULL REFERENCES bus.parked,
    act       text        NOT NULL CHECK (act IN ('redrive', 'discard')),
    by        text        NOT NULL,
    at        timestamptz NOT NULL DEFAULT now()
);

-- Claims of HTTP callers: in the same transaction as the effect, kept 7 days.
CREATE TABLE bus.idempotency (
    caller     text        NOT NULL,
    route      text        NOT NULL,
    key        text        NOT NULL CONSTRAINT idempotency_key_length CHECK (length(key) BETWEEN 1 AND 255),
    body_hash  bytea       NOT NULL,
    answer     json        NOT NULL DEFAULT 'null',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, route, key)
);

-- A log can be added to and nothing else.
-- +goose StatementBegin
CREATE FUNCTION bus.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is a log: rows are added, never changed or deleted', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_never_changes';
END $$;
-- +goose StatementEnd
CREATE TRIGGER parked_act_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON bus.parked_act
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

-- created_at never changes, updated_at changes by itself.
-- +goose StatementBegin
CREATE FUNCTION bus.keep_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.created_at := OLD.created_at;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- first_id_of is the smallest event id of a moment: 48 bits of milliseconds, then zeros.
-- +goose StatementBegin
CREATE FUNCTION bus.first_id_of(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
-- +goose StatementEnd

-- id_of is the id in a text that may be anything, or NULL.
-- +goose StatementBegin
CREATE FUNCTION bus.id_of(anything text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN anything ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN anything::uuid END
$$;
-- +goose StatementEnd

-- make_months makes the partitions from this month to some months ahead, where they are missing.
-- +goose StatementBegin
CREATE FUNCTION bus.make_months(ahead integer DEFAULT 1) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = bus, pg_catalog SET timezone = 'UTC' AS $$
DECLARE
    first   timestamptz;
    lowest  uuid;
    highest uuid;
    name    text;
    made    integer := 0;
    log     text;
    early   boolean;
BEGIN
    FOR i IN 0..ahead LOOP
        first := date_trunc('month', now(), 'UTC') + make_interval(months => i);
        lowest := bus.first_id_of(first);
        highest := bus.first_id_of(date_trunc('month', first + interval '32 days', 'UTC'));
        FOREACH log IN ARRAY ARRAY['event', 'inbox'] LOOP
            name := log || '_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
            CONTINUE WHEN to_regclass('bus.' || name) IS NOT NULL;
            -- A month of which something was said before it was made stays with the rest.
            EXECUTE format('SELECT EXISTS (SELECT FROM bus.%I WHERE event_id >= %L AND event_id < %L)', log || '_other', lowest, highest) INTO early;
            CONTINUE WHEN early;
            EXECUTE format('CREATE TABLE bus.%I PARTITION OF bus.%I FOR VALUES FROM (%L) TO (%L)', name, log, lowest, highest);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
-- +goose StatementEnd
SELECT bus.make_months();

-- drop_month drops the log of one month, once nobody waits for anything in it.
-- +goose StatementBegin
CREATE FUNCTION bus.drop_month(month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lowest  uuid := bus.first_id_of(month::timestamp AT TIME ZONE 'UTC');
    highest uuid := bus.first_id_of((month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
    part    text := to_char(month, '_YYYY_MM');
BEGIN
    IF EXISTS (SELECT FROM bus.unheard WHERE event_id >= lowest AND event_id < highest) THEN
        RAISE EXCEPTION 'drop month %: somebody has not heard all of it', month;
    END IF;
    IF EXISTS (SELECT FROM bus.event e, bus.sweep s WHERE e.event_id >= lowest AND e.event_id < highest AND e.xid >= s.mark) THEN
        RAISE EXCEPTION 'drop month %: it is not swept yet', month;
    END IF;
    IF EXISTS (SELECT FROM bus.parked p JOIN bus.event e ON e.event_id = bus.id_of(p.event_id)
               WHERE p.resolved_at IS NULL AND e.event_id >= lowest AND e.event_id < highest) THEN
        RAISE EXCEPTION 'drop month %: some of it is parked', month;
    END IF;
    EXECUTE format('DROP TABLE bus.%I, bus.%I', 'event' || part, 'inbox' || part);
END $$;
-- +goose StatementEnd
