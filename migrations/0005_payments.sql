-- written by: create-payment (payments, attempts, entries, suspense), refund-payment (refunds, attempts, entries, suspense)
-- What is known about a payment's money is a list of entries that is never edited; status and sums are computed from it.

-- +goose Up
CREATE SCHEMA payments;

CREATE TABLE payments.payments (
    payment_id     uuid        PRIMARY KEY,
    order_id       uuid        NOT NULL REFERENCES orders.orders,
    method         text        NOT NULL,
    provider       text        NOT NULL,
    status         text        NOT NULL DEFAULT 'opening' CONSTRAINT payments_status_known CHECK
                               (status IN ('opening', 'created', 'paid', 'failed', 'expired', 'voided', 'refunded')),
    amount_minor   bigint      NOT NULL CONSTRAINT payments_amount_not_negative CHECK (amount_minor >= 0),
    currency       text        NOT NULL,
    captured_minor bigint      NOT NULL DEFAULT 0 CONSTRAINT captures_within_amount CHECK (captured_minor BETWEEN 0 AND amount_minor),
    refunded_minor bigint      NOT NULL DEFAULT 0,
    provider_ref   text        NOT NULL DEFAULT '',
    uri            text        NOT NULL DEFAULT '',
    expires_at     timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT refunds_within_captures CHECK (refunded_minor BETWEEN 0 AND captured_minor)
) WITH (fillfactor = 70);
CREATE INDEX payments_by_order ON payments.payments (order_id);
CREATE UNIQUE INDEX one_open_payment_per_order ON payments.payments (order_id) WHERE status IN ('opening', 'created', 'paid');

CREATE TABLE payments.entries (
    payment_id   uuid        NOT NULL REFERENCES payments.payments,
    kind         text        NOT NULL CONSTRAINT entries_kind_known CHECK (kind IN ('created', 'captured', 'failed', 'expired', 'voided', 'refunded')),
    amount_minor bigint      NOT NULL CONSTRAINT entries_amount_not_negative CHECK (amount_minor >= 0),
    currency     text        NOT NULL,
    provider     text        NOT NULL,
    provider_ref text        NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT entries_once_per_provider_object PRIMARY KEY (provider, provider_ref, kind)
);
CREATE INDEX entries_by_payment ON payments.entries (payment_id);
CREATE TRIGGER entries_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON payments.entries
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

-- Every call to a provider, stored before or with its result.
CREATE TABLE payments.attempts (
    key        uuid        NOT NULL,
    payment_id uuid        NOT NULL,
    order_id   uuid        NOT NULL,
    method     text        NOT NULL,
    act        text        NOT NULL CHECK (act IN ('open', 'void', 'refund')),
    result     text        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, at)
);
CREATE INDEX attempts_by_order ON payments.attempts (order_id);
CREATE TRIGGER attempts_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON payments.attempts
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

CREATE TABLE payments.refunds (
    refund_id    uuid        PRIMARY KEY,
    payment_id   uuid        NOT NULL REFERENCES payments.payments,
    order_id     uuid        NOT NULL,
    amount_minor bigint      NOT NULL CONSTRAINT refunds_return_something CHECK (amount_minor > 0),
    currency     text        NOT NULL,
    reason       text        NOT NULL,
    by           text        NOT NULL,
    status       text        NOT NULL CONSTRAINT refunds_status_known CHECK (status IN ('refunded', 'failed')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER refunds_keep_times BEFORE UPDATE ON payments.refunds FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

-- Money that came for an order that was already over, until it is given back.
CREATE TABLE payments.suspense (
    payment_id   uuid        PRIMARY KEY,
    order_id     uuid        NOT NULL,
    provider     text        NOT NULL,
    provider_ref text        NOT NULL,
    amount_minor bigint      NOT NULL CHECK (amount_minor > 0),
    currency     text        NOT NULL,
    came_at      timestamptz NOT NULL DEFAULT now(),
    returned_at  timestamptz
);

-- Entries change the status and sums of their payment, all that one statement enters at once. They may come in any order:
-- the sums are sums, and a status is only ever replaced by one that knows more.
-- +goose StatementBegin
CREATE FUNCTION payments.apply_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed bigint;
BEGIN
    UPDATE payments.payments SET
        captured_minor = captured_minor + captured,
        refunded_minor = refunded_minor + refunded,
        status = CASE
            WHEN refunded_minor + refunded > 0 AND refunded_minor + refunded = captured_minor + captured THEN 'refunded'
            WHEN paid OR status IN ('paid', 'refunded') THEN 'paid'
            WHEN status IN ('opening', 'created') THEN coalesce(closed, opened, status)
            ELSE greatest(closed, status) END,
        updated_at = now()
    FROM (
        SELECT payment_id AS of_payment, currency AS in_currency,
            sum(CASE kind WHEN 'captured' THEN amount_minor ELSE 0 END) AS captured,
            sum(CASE kind WHEN 'refunded' THEN amount_minor ELSE 0 END) AS refunded,
            bool_or(kind = 'captured') AS paid,
            max(kind) FILTER (WHERE kind IN ('failed', 'expired', 'voided')) AS closed,
            max(kind) FILTER (WHERE kind = 'created') AS opened
        FROM entered
        GROUP BY payment_id, currency
    ) AS told
    WHERE payment_id = of_payment AND currency = in_currency;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> (SELECT count(DISTINCT (payment_id, currency)) FROM entered) THEN
        RAISE EXCEPTION 'an entry has the currency of its payment' USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_keep_the_currency';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entries_change_payments AFTER INSERT ON payments.entries REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION payments.apply_entries();

-- +goose StatementBegin
CREATE FUNCTION payments.begin_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.status, NEW.captured_minor, NEW.refunded_minor) <> ('opening', 0, 0) THEN
        RAISE EXCEPTION 'a payment begins without money' USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_change_through_entries';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER payments_begin_opening AFTER INSERT ON payments.payments FOR EACH ROW EXECUTE FUNCTION payments.begin_payment();

-- +goose StatementBegin
CREATE FUNCTION payments.guard_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 AND (NEW.status, NEW.captured_minor, NEW.refunded_minor, NEW.amount_minor, NEW.currency, NEW.order_id)
            <> (OLD.status, OLD.captured_minor, OLD.refunded_minor, OLD.amount_minor, OLD.currency, OLD.order_id) THEN
        RAISE EXCEPTION 'payments change through entries only' USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_change_through_entries';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER payments_guarded AFTER UPDATE ON payments.payments FOR EACH ROW EXECUTE FUNCTION payments.guard_payment();

-- An ended order is settled: completed means captured - refunded = its total, cancelled, rejected and expired mean 0.
-- Whichever commits last, the order's end or the entry, sees the other: both sides lock the order row.
-- +goose StatementBegin
CREATE FUNCTION payments.demand_settled() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    o    record;
    kept bigint;
BEGIN
    IF TG_TABLE_NAME = 'orders' THEN
        o := NEW;
    ELSE
        SELECT q.* INTO o FROM orders.orders q JOIN payments.payments p USING (order_id) WHERE p.payment_id = NEW.payment_id FOR SHARE OF q;
    END IF;
    IF o.status NOT IN ('completed', 'cancelled', 'rejected', 'expired') THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(captured_minor - refunded_minor), 0) INTO kept FROM payments.payments WHERE order_id = o.order_id;
    IF kept <> (CASE o.status WHEN 'completed' THEN o.total_minor ELSE 0 END) THEN
        RAISE EXCEPTION 'order % is % but % % of its money is here', o.order_id, o.status, kept, o.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ended_orders_are_settled';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER ended_orders_are_settled AFTER UPDATE OF status ON orders.orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status IN ('completed', 'cancelled', 'rejected', 'expired')) EXECUTE FUNCTION payments.demand_settled();
CREATE CONSTRAINT TRIGGER entries_settle_ended_orders AFTER INSERT ON payments.entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind IN ('captured', 'refunded')) EXECUTE FUNCTION payments.demand_settled();
