-- written by: serve-payments (payments.authorisations, payments.entries), triggers (payments.authorisations)
-- Amounts that customers agree to beforehand. Orders use parts of them: a payment sets its amount aside, and is captured when the customer says so.

-- +goose Up
CREATE TABLE payments.authorisations (
    authorisation_id uuid        PRIMARY KEY,
    owner_id         uuid        NOT NULL,
    amount_minor     bigint      NOT NULL CONSTRAINT authorisations_are_above_0 CHECK (amount_minor > 0),
    used_minor       bigint      NOT NULL DEFAULT 0 CONSTRAINT authorisations_are_not_exceeded CHECK (used_minor BETWEEN 0 AND amount_minor),
    currency         text        NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER authorisations_keep_times BEFORE UPDATE ON payments.authorisations FOR EACH ROW EXECUTE FUNCTION bus.keep_times();
CREATE INDEX authorisations_by_owner ON payments.authorisations (owner_id, created_at DESC);
ALTER TABLE payments.authorisations ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON payments.authorisations USING (owner_id = bus.caller() OR bus.caller_is_staff());
CREATE POLICY steps_see_all ON payments.authorisations TO popup_steps USING (true);

-- +goose StatementBegin
CREATE FUNCTION payments.guard_authorisation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'INSERT' AND NEW.used_minor <> 0) OR (TG_OP = 'UPDATE' AND (pg_trigger_depth() < 2
            OR to_jsonb(NEW) - 'used_minor' - 'updated_at' <> to_jsonb(OLD) - 'used_minor' - 'updated_at')) THEN
        RAISE EXCEPTION 'what is used of an authorisation follows from payments' USING ERRCODE = 'check_violation', CONSTRAINT = 'authorisations_follow_payments';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER authorisations_guarded BEFORE INSERT OR UPDATE OR DELETE ON payments.authorisations
    FOR EACH ROW EXECUTE FUNCTION payments.guard_authorisation();

ALTER TABLE orders.orders ADD COLUMN authorisation_id uuid;
ALTER TABLE payments.payments ADD COLUMN authorisation_id uuid REFERENCES payments.authorisations;
CREATE INDEX payments_by_authorisation ON payments.payments (authorisation_id) WHERE authorisation_id IS NOT NULL;
ALTER TABLE payments.payments DROP CONSTRAINT payments_status_known, ADD CONSTRAINT payments_status_known CHECK
    (status IN ('opening', 'created', 'authorised', 'paid', 'failed', 'expired', 'voided', 'refunded')) NOT VALID;
ALTER TABLE payments.payments VALIDATE CONSTRAINT payments_status_known;
ALTER TABLE payments.payments ADD CONSTRAINT authorised_payments_have_an_authorisation CHECK (status <> 'authorised' OR authorisation_id IS NOT NULL) NOT VALID;
ALTER TABLE payments.payments VALIDATE CONSTRAINT authorised_payments_have_an_authorisation;
ALTER TABLE payments.entries DROP CONSTRAINT entries_kind_known, ADD CONSTRAINT entries_kind_known CHECK
    (kind IN ('created', 'authorised', 'captured', 'failed', 'expired', 'voided', 'refunded')) NOT VALID;
ALTER TABLE payments.entries VALIDATE CONSTRAINT entries_kind_known;
CREATE UNIQUE INDEX one_living_payment_per_order ON payments.payments (order_id) WHERE status IN ('opening', 'created', 'authorised', 'paid');
DROP INDEX payments.one_open_payment_per_order;
ALTER INDEX payments.one_living_payment_per_order RENAME TO one_open_payment_per_order;

-- As before, with amounts that are set aside.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION payments.apply_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed bigint;
BEGIN
    UPDATE payments.payments SET
        captured_minor = captured_minor + captured,
        refunded_minor = refunded_minor + refunded,
        status = CASE
            WHEN refunded_minor + refunded > 0 AND refunded_minor + refunded = captured_minor + captured THEN 'refunded'
            WHEN paid OR status IN ('paid', 'refunded') THEN 'paid'
            WHEN status = 'authorised' THEN coalesce(closed, status)
            WHEN status IN ('opening', 'created') THEN coalesce(closed, opened, status)
            ELSE greatest(closed, status) END,
        updated_at = now()
    FROM (
        SELECT payment_id AS of_payment, currency AS in_currency,
            sum(CASE kind WHEN 'captured' THEN amount_minor ELSE 0 END) AS captured,
            sum(CASE kind WHEN 'refunded' THEN amount_minor ELSE 0 END) AS refunded,
            bool_or(kind = 'captured') AS paid,
            max(kind) FILTER (WHERE kind IN ('failed', 'expired', 'voided')) AS closed,
            min(kind) FILTER (WHERE kind IN ('created', 'authorised')) AS opened
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

-- used is what a payment uses of its authorisation.
CREATE FUNCTION payments.used(p payments.payments) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p.authorisation_id IS NULL THEN 0 WHEN p.status = 'authorised' THEN p.amount_minor ELSE p.captured_minor - p.refunded_minor END
$$;
-- +goose StatementBegin
CREATE FUNCTION payments.use_authorisation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.authorisation_id IS DISTINCT FROM OLD.authorisation_id THEN
        RAISE EXCEPTION 'a payment keeps its authorisation' USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_keep_their_authorisation';
    END IF;
    IF payments.used(NEW) = payments.used(OLD) THEN
        RETURN NULL;
    END IF;
    UPDATE payments.authorisations SET used_minor = used_minor + payments.used(NEW) - payments.used(OLD)
    WHERE authorisation_id = NEW.authorisation_id AND currency = NEW.currency;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an authorisation is used in its currency' USING ERRCODE = 'check_violation', CONSTRAINT = 'authorisations_keep_the_currency';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER payments_use_authorisations AFTER UPDATE ON payments.payments
    FOR EACH ROW WHEN (NEW.authorisation_id IS NOT NULL OR OLD.authorisation_id IS NOT NULL) EXECUTE FUNCTION payments.use_authorisation();

-- Orders whose payment is checked later than their stock.
CREATE INDEX orders_with_a_later_payment ON orders.orders (payment_check_at)
    WHERE status = 'pending' AND payment = 'pending' AND payment_check_at > stock_check_at;
