-- written by: place-order, serve-orders, return-points, settle-points, serve-points (entries), triggers (balances), settle-points, triggers (lots)
-- Points of accounts: a list of entries that nobody edits, and the balances that follow from it. What comes in makes a lot, which runs out at
-- its time. The oldest points are used first: of what is available, as much is left as the lots that have not run out.

-- +goose Up
CREATE SCHEMA points;

CREATE TABLE points.balances (
    customer_id uuid        PRIMARY KEY REFERENCES accounts.users,
    available   bigint      NOT NULL DEFAULT 0 CONSTRAINT available_points_not_negative CHECK (available >= 0),
    held        bigint      NOT NULL DEFAULT 0 CONSTRAINT held_points_not_negative CHECK (held >= 0),
    debt        bigint      NOT NULL DEFAULT 0 CONSTRAINT debt_not_negative CHECK (debt >= 0),
    entries     bigint      NOT NULL DEFAULT 0,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT debts_are_paid_first CHECK (available = 0 OR debt = 0)
) WITH (fillfactor = 70);

-- points is what an entry is about: above 0, or below 0 for an adjustment that takes. What it changes is set by a trigger.
CREATE TABLE points.entries (
    entry_id    uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id uuid        NOT NULL REFERENCES points.balances,
    n           bigint      NOT NULL DEFAULT 0,
    kind        text        NOT NULL CONSTRAINT entries_kind_known CHECK (kind IN ('earn', 'hold', 'release', 'spend', 'expire', 'adjust', 'reclaim')),
    points      bigint      NOT NULL CONSTRAINT entries_move_points CHECK (points > 0 OR (kind = 'adjust' AND points < 0)),
    available   bigint      NOT NULL DEFAULT 0,
    held        bigint      NOT NULL DEFAULT 0,
    debt        bigint      NOT NULL DEFAULT 0,
    order_id    uuid        REFERENCES orders.orders,
    ref         text        NOT NULL DEFAULT '', -- tells entries of a kind for one order apart: the version that a hold changed, the refund
    reason      text        NOT NULL DEFAULT '' CONSTRAINT entries_reason_at_most_500 CHECK (length(reason) <= 500),
    by          text        NOT NULL,
    expires_at  timestamptz,
    at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT entries_are_numbered UNIQUE (customer_id, n),
    CONSTRAINT entries_of_orders_have_one CHECK ((order_id IS NOT NULL) = (kind IN ('earn', 'hold', 'release', 'spend', 'reclaim'))),
    CONSTRAINT adjustments_have_a_reason CHECK (kind <> 'adjust' OR reason <> '')
);
CREATE UNIQUE INDEX entries_once_per_order_and_kind ON points.entries (order_id, kind, ref) WHERE order_id IS NOT NULL;
CREATE TRIGGER entries_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON points.entries
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

CREATE TABLE points.lots (
    entry_id    uuid        PRIMARY KEY,
    customer_id uuid        NOT NULL,
    points      bigint      NOT NULL CONSTRAINT lots_have_points CHECK (points > 0),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX lots_by_customer ON points.lots (customer_id);
CREATE INDEX lots_by_time ON points.lots (expires_at);

-- unexpired is how many points of a customer's lots have not run out.
CREATE FUNCTION points.unexpired(customer uuid) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(sum(l.points), 0)::bigint FROM points.lots l WHERE l.customer_id = customer AND l.expires_at > clock_timestamp()
$$;

-- An entry changes the balance under its lock. An entry that there is already, and one that lets nothing expire, is not stored.
-- +goose StatementBegin
CREATE FUNCTION points.apply_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b       points.balances;
    holding bigint := 0;
    gone    bigint;
BEGIN
    SELECT * INTO b FROM points.balances WHERE customer_id = NEW.customer_id FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO points.balances (customer_id) VALUES (NEW.customer_id) ON CONFLICT DO NOTHING;
        SELECT * INTO b FROM points.balances WHERE customer_id = NEW.customer_id FOR UPDATE;
    END IF;
    IF NEW.order_id IS NOT NULL THEN
        IF EXISTS (SELECT FROM points.entries e WHERE e.order_id = NEW.order_id AND e.kind = NEW.kind AND e.ref = NEW.ref) THEN
            RETURN NULL;
        END IF;
        SELECT coalesce(sum(e.held), 0) INTO holding FROM points.entries e WHERE e.order_id = NEW.order_id;
    END IF;
    IF NEW.kind = 'release' THEN -- of what is held, or at a new life of what was spent
        NEW.points := least(NEW.points, CASE WHEN NEW.expires_at IS NULL THEN holding ELSE (
            SELECT coalesce(sum(CASE e.kind WHEN 'spend' THEN e.points ELSE -e.points END), 0) FROM points.entries e
            WHERE e.order_id = NEW.order_id AND (e.kind = 'spend' OR e.kind = 'release' AND e.expires_at IS NOT NULL)) END);
        IF NEW.points <= 0 THEN
            RETURN NULL;
        END IF;
    END IF;
    NEW.available := 0;
    NEW.held := 0;
    NEW.debt := 0;
    CASE
        WHEN NEW.kind = 'expire' THEN
            NEW.points := b.available - points.unexpired(NEW.customer_id);
            IF NEW.points <= 0 THEN
                RETURN NULL;
            END IF;
            NEW.available := -NEW.points;
        WHEN NEW.kind = 'hold' THEN
            NEW.available := -NEW.points;
            NEW.held := NEW.points;
            IF NEW.points > least(b.available, points.unexpired(NEW.customer_id)) THEN
                RAISE EXCEPTION 'there are fewer points than %', NEW.points USING ERRCODE = 'check_violation', CONSTRAINT = 'points_cover_what_is_held';
            END IF;
        WHEN NEW.kind = 'spend' THEN
            NEW.held := -NEW.points;
        WHEN NEW.kind = 'reclaim' THEN
            NEW.available := -least(b.available, NEW.points);
            NEW.debt := NEW.points + NEW.available;
        WHEN NEW.kind = 'adjust' AND NEW.points < 0 THEN
            NEW.available := NEW.points;
        ELSE -- earn, release, adjust: points come in, and pay debts first
            NEW.debt := -least(b.debt, NEW.points);
            NEW.available := NEW.points + NEW.debt;
            IF NEW.kind = 'release' AND NEW.expires_at IS NULL THEN
                NEW.held := -NEW.points;
            END IF;
    END CASE;
    IF holding + NEW.held < 0 THEN
        RAISE EXCEPTION 'the order holds % points', holding USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_return_what_they_hold';
    END IF;
    IF b.available + NEW.available < 0 THEN
        RAISE EXCEPTION 'there are % points', b.available USING ERRCODE = 'check_violation', CONSTRAINT = 'points_cover_what_is_taken';
    END IF;
    NEW.n := b.entries + 1;
    NEW.at := clock_timestamp();
    UPDATE points.balances SET available = b.available + NEW.available, held = b.held + NEW.held, debt = b.debt + NEW.debt,
        entries = NEW.n, updated_at = NEW.at
    WHERE customer_id = NEW.customer_id;
    IF NEW.expires_at IS NOT NULL THEN
        INSERT INTO points.lots (entry_id, customer_id, points, expires_at) VALUES (NEW.entry_id, NEW.customer_id, NEW.points, NEW.expires_at);
    ELSIF NEW.kind = 'release' THEN -- what ran out while it was held runs out now
        gone := b.available + NEW.available - points.unexpired(NEW.customer_id);
        IF gone > 0 THEN
            INSERT INTO points.lots (entry_id, customer_id, points, expires_at) VALUES (NEW.entry_id, NEW.customer_id, gone, NEW.at);
        END IF;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entries_change_balances BEFORE INSERT ON points.entries FOR EACH ROW EXECUTE FUNCTION points.apply_entry();

-- +goose StatementBegin
CREATE FUNCTION points.guard_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'balances change through entries only' USING ERRCODE = 'check_violation', CONSTRAINT = 'balances_change_through_entries';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER balances_guarded BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON points.balances
    FOR EACH STATEMENT EXECUTE FUNCTION points.guard_balance();

ALTER TABLE points.balances ENABLE ROW LEVEL SECURITY;
ALTER TABLE points.entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE points.lots ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON points.balances USING (customer_id = bus.caller() OR bus.caller_is_staff());
CREATE POLICY own ON points.entries USING (customer_id = bus.caller() OR bus.caller_is_staff());
CREATE POLICY own ON points.lots USING (customer_id = bus.caller() OR bus.caller_is_staff());
CREATE POLICY steps_see_all ON points.balances TO popup_steps USING (true);
CREATE POLICY steps_see_all ON points.entries TO popup_steps USING (true);
CREATE POLICY steps_see_all ON points.lots TO popup_steps USING (true);

CREATE TRIGGER entries_audited AFTER INSERT ON points.entries
    FOR EACH ROW WHEN (NEW.kind = 'adjust' AND current_setting('popup.role', true) IN ('staff', 'admin', 'client'))
    EXECUTE FUNCTION bus.note_change('points', 'customer_id', 'points', 'reason');

-- The points of an order lower its total. They can change as long as it has no payment, and the total with them.
ALTER TABLE orders.orders ADD COLUMN points bigint NOT NULL DEFAULT 0;
ALTER TABLE orders.orders ADD CONSTRAINT orders_points_0_to_10000 CHECK (points BETWEEN 0 AND 10000) NOT VALID,
    ADD CONSTRAINT orders_points_are_a_discount CHECK (discount_minor >= points * 10) NOT VALID;
ALTER TABLE orders.orders VALIDATE CONSTRAINT orders_points_0_to_10000;
ALTER TABLE orders.orders VALIDATE CONSTRAINT orders_points_are_a_discount;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION orders.guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'orders are never deleted' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'orders_never_deleted';
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'pending' OR NEW.version <> 1 THEN
            RAISE EXCEPTION 'an order begins pending at version 1' USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_begin_pending';
        END IF;
        IF NEW.order_number !~ '^ORD-\d{8}-[0-9A-Z]{6}$' THEN
            RAISE EXCEPTION '% is no order number', NEW.order_number USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_number_form';
        END IF;
    ELSE
        NEW.created_at := OLD.created_at;
        NEW.updated_at := clock_timestamp();
        IF NEW.status <> OLD.status AND NOT EXISTS (SELECT FROM orders.moves m WHERE m.from_status = OLD.status AND m.to_status = NEW.status) THEN
            RAISE EXCEPTION 'an order does not go from % to %', OLD.status, NEW.status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_move_by_the_table';
        END IF;
        IF NEW.version <> OLD.version + 1 THEN
            RAISE EXCEPTION 'order version % cannot follow %', NEW.version, OLD.version
                USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_version_by_version';
        END IF;
        IF (NEW.currency, NEW.order_number) IS DISTINCT FROM (OLD.currency, OLD.order_number)
            OR (NEW.total_minor, NEW.points) IS DISTINCT FROM (OLD.total_minor, OLD.points) AND (
                (OLD.status, NEW.status, OLD.payment, NEW.payment) IS DISTINCT FROM ('pending', 'pending', 'pending', 'pending')
                OR NEW.total_minor - OLD.total_minor IS DISTINCT FROM (OLD.points - NEW.points) * 10) THEN
            RAISE EXCEPTION 'what was agreed on does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_keep_their_price';
        END IF;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
