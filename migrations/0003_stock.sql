-- written by: popup seed (warehouses), serve-catalogue (warehouses, levels), serve-stock (warehouses, levels, movements, holds, reservations), reserve-stock (reservations), release-stock (reservations, holds), move-stock (reservations, movements)
-- How many there are, where, and for whom they are held. on_hand = inbound - outbound, 0 <= reserved <= on_hand.

-- +goose Up
CREATE SCHEMA stock;

CREATE TABLE stock.warehouses (
    warehouse_id uuid        PRIMARY KEY,
    name         text        NOT NULL CONSTRAINT warehouses_have_a_name CHECK (name ~ '\S'),
    location     text        NOT NULL DEFAULT '',
    priority     integer     NOT NULL DEFAULT 100,
    deleted_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER warehouses_keep_times BEFORE UPDATE ON stock.warehouses FOR EACH ROW EXECUTE FUNCTION bus.keep_times();
ALTER TABLE catalogue.stores ADD CONSTRAINT stores_have_a_warehouse FOREIGN KEY (warehouse_id) REFERENCES stock.warehouses;

CREATE TABLE stock.levels (
    level_id     uuid        PRIMARY KEY,
    sku          text        NOT NULL,
    warehouse_id uuid        NOT NULL REFERENCES stock.warehouses,
    on_hand      bigint      NOT NULL DEFAULT 0 CONSTRAINT stock_at_most_a_trillion CHECK (on_hand <= 1000000000000),
    reserved     bigint      NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT levels_once_per_sku_and_warehouse UNIQUE (sku, warehouse_id),
    CONSTRAINT stock_reserved_in_range CHECK (0 <= reserved AND reserved <= on_hand)
) WITH (fillfactor = 70);
CREATE INDEX levels_by_warehouse ON stock.levels (warehouse_id);

-- What staff or a machine client holds by hand, until a time.
CREATE TABLE stock.holds (
    hold_id    uuid        PRIMARY KEY,
    status     text        NOT NULL DEFAULT 'held' CONSTRAINT holds_status_known CHECK (status IN ('held', 'released', 'expired')),
    by         text        NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX holds_by_expiry ON stock.holds (expires_at) WHERE status = 'held';
-- That a hold is due is said once.
CREATE INDEX event_reservations_due ON bus.event (subject) WHERE type = 'reservation.due';
CREATE TRIGGER holds_keep_times BEFORE UPDATE ON stock.holds FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

-- One row per order or hold, line and warehouse.
CREATE TABLE stock.reservations (
    reservation_id uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id       uuid,
    hold_id        uuid        REFERENCES stock.holds,
    line           integer     NOT NULL,
    level_id       uuid        NOT NULL REFERENCES stock.levels,
    quantity       bigint      NOT NULL CONSTRAINT reservations_hold_something CHECK (quantity > 0),
    status         text        NOT NULL DEFAULT 'held' CONSTRAINT reservations_status_known CHECK (status IN ('held', 'released', 'shipped')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reservations_are_for_an_order_or_a_hold CHECK (num_nonnulls(order_id, hold_id) = 1),
    CONSTRAINT reservations_once_per_line_and_level UNIQUE (order_id, line, level_id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX reservations_once_per_line_and_level_of_a_hold ON stock.reservations (hold_id, line, level_id) WHERE hold_id IS NOT NULL;
CREATE INDEX reservations_open ON stock.reservations (level_id) WHERE status = 'held';

-- Every change of a figure, for ever. The quantity of an adjustment is signed, all others are positive.
CREATE TABLE stock.movements (
    movement_id    uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    level_id       uuid        NOT NULL REFERENCES stock.levels,
    kind           text        NOT NULL CONSTRAINT movements_kind_known CHECK (kind IN ('inbound', 'outbound', 'reservation', 'release', 'adjustment')),
    quantity       bigint      NOT NULL CONSTRAINT movements_move_something CHECK (quantity <> 0 AND (quantity > 0 OR kind = 'adjustment')),
    reservation_id uuid        REFERENCES stock.reservations,
    reference      text        NOT NULL,
    reason         text        NOT NULL DEFAULT '',
    by             text        NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT movements_reserve_for_a_reservation CHECK (kind NOT IN ('reservation', 'release') OR reservation_id IS NOT NULL)
);
CREATE UNIQUE INDEX movements_once_per_reservation_and_kind ON stock.movements (reservation_id, kind) WHERE reservation_id IS NOT NULL;
CREATE INDEX movements_by_level ON stock.movements (level_id, created_at);
CREATE TRIGGER movements_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON stock.movements
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

-- A movement changes the figures of its level. Those of a reservation come from it alone.
-- +goose StatementBegin
CREATE FUNCTION stock.apply_movement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() < 2 AND (NEW.kind IN ('reservation', 'release') OR NEW.kind = 'outbound' AND NEW.reservation_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a reservation is booked by its own moves only'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'movements_follow_their_reservation';
    END IF;
    UPDATE stock.levels SET
        on_hand = on_hand + CASE NEW.kind
            WHEN 'inbound' THEN NEW.quantity WHEN 'adjustment' THEN NEW.quantity WHEN 'outbound' THEN -NEW.quantity ELSE 0 END,
        reserved = reserved + CASE
            WHEN NEW.kind = 'reservation' THEN NEW.quantity
            WHEN NEW.kind = 'release' OR (NEW.kind = 'outbound' AND NEW.reservation_id IS NOT NULL) THEN -NEW.quantity ELSE 0 END,
        updated_at = now()
    WHERE level_id = NEW.level_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER movements_change_levels AFTER INSERT ON stock.movements FOR EACH ROW EXECUTE FUNCTION stock.apply_movement();

-- A reservation that is made, released or shipped leaves the movement of that name.
-- +goose StatementBegin
CREATE FUNCTION stock.note_reservation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status = OLD.status THEN
        RETURN NULL;
    END IF;
    INSERT INTO stock.movements (level_id, kind, quantity, reservation_id, reference)
    VALUES (NEW.level_id, CASE NEW.status WHEN 'held' THEN 'reservation' WHEN 'released' THEN 'release' ELSE 'outbound' END,
            NEW.quantity, NEW.reservation_id, coalesce(NEW.order_id, NEW.hold_id));
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER reservations_leave_movements AFTER INSERT OR UPDATE OF status ON stock.reservations
    FOR EACH ROW EXECUTE FUNCTION stock.note_reservation();

-- A reservation is made held and moves once; what it holds never changes.
-- +goose StatementBegin
CREATE FUNCTION stock.guard_reservation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'reservations are never deleted' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'reservations_never_deleted';
    ELSIF TG_OP = 'INSERT' AND NEW.status <> 'held' THEN
        RAISE EXCEPTION 'a reservation begins held' USING ERRCODE = 'check_violation', CONSTRAINT = 'reservations_begin_held';
    ELSIF TG_OP = 'UPDATE' AND (OLD.status <> 'held' AND NEW.status <> OLD.status
            OR (NEW.order_id, NEW.hold_id, NEW.line, NEW.level_id, NEW.quantity) IS DISTINCT FROM (OLD.order_id, OLD.hold_id, OLD.line, OLD.level_id, OLD.quantity)) THEN
        RAISE EXCEPTION 'a reservation moves once and keeps what it holds' USING ERRCODE = 'check_violation', CONSTRAINT = 'reservations_move_once';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER reservations_guarded BEFORE INSERT OR UPDATE OR DELETE ON stock.reservations
    FOR EACH ROW EXECUTE FUNCTION stock.guard_reservation();

-- Figures change through movements and in no other way. It runs after the row is checked, so that a range is named first.
-- +goose StatementBegin
CREATE FUNCTION stock.guard_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND (OLD.on_hand, OLD.reserved) = (0, 0) THEN
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' AND (NEW.on_hand, NEW.reserved) = (0, 0) THEN
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' AND pg_trigger_depth() > 1 THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'stock figures change through movements only'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'stock_changes_through_movements';
END $$;
-- +goose StatementEnd
CREATE TRIGGER levels_guarded AFTER INSERT OR UPDATE OR DELETE ON stock.levels FOR EACH ROW EXECUTE FUNCTION stock.guard_level();
