-- written by: check-payment (payments.payments, payments.attempts, payments.entries, payments.suspense, payments.refunds), receive-webhook, tidy-shop (payments.notices), serve-payments (payments.refunds)
-- Deferred payments: slips, the time of the next query, notices; kinds of suspense; refunds requested by staff.

-- +goose Up

-- check_at is the time of the next query of an open payment. Direct payments are never open.
ALTER TABLE payments.payments ADD COLUMN slip jsonb, ADD COLUMN check_at timestamptz;
CREATE INDEX payments_to_query ON payments.payments (check_at) WHERE status = 'created' AND check_at IS NOT NULL;
CREATE INDEX payments_by_provider_object ON payments.payments (provider, provider_ref);
CREATE INDEX payments_by_time ON payments.payments (created_at DESC, payment_id DESC);

ALTER TABLE payments.attempts DROP CONSTRAINT attempts_act_check;
ALTER TABLE payments.attempts ADD CONSTRAINT attempts_act_known CHECK (act IN ('open', 'query', 'void', 'refund'));

-- Notices of providers, each once. They only trigger a query of the provider.
CREATE TABLE payments.notices (
    provider    text        NOT NULL,
    notice_id   text        NOT NULL CONSTRAINT notices_id_fits CHECK (length(notice_id) BETWEEN 1 AND 200),
    kind        text        NOT NULL CONSTRAINT notices_kind_fits CHECK (length(kind) <= 200),
    provider_ref text       NOT NULL CONSTRAINT notices_ref_fits CHECK (length(provider_ref) <= 200),
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, notice_id)
);
CREATE INDEX notices_by_time ON payments.notices (received_at);

-- Why money is in suspense: its order had ended, its amount, currency or order is wrong, or it was paid twice.
ALTER TABLE payments.suspense ADD COLUMN why text NOT NULL DEFAULT 'late'
    CONSTRAINT suspense_why_known CHECK (why IN ('late', 'wrong', 'double'));
ALTER TABLE payments.suspense DROP CONSTRAINT suspense_pkey, ADD PRIMARY KEY (payment_id, why);

-- A refund is requested, and then refunded or failed; a failed one can be requested again. What is refunded stays.
ALTER TABLE payments.refunds DROP CONSTRAINT refunds_status_known;
ALTER TABLE payments.refunds ADD CONSTRAINT refunds_status_known CHECK (status IN ('requested', 'refunded', 'failed'));
ALTER TABLE payments.refunds ADD COLUMN of_suspense text CONSTRAINT refunds_suspense_known CHECK (of_suspense IN ('late', 'wrong', 'double'));
CREATE INDEX refunds_by_payment ON payments.refunds (payment_id);
CREATE INDEX refunds_by_order ON payments.refunds (order_id);

-- Refunds that are requested or done never exceed what was captured: each request locks the payment.
-- +goose StatementBegin
CREATE FUNCTION payments.guard_refund() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    p record;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.status = 'refunded' AND NEW.status <> 'refunded'
            OR to_jsonb(OLD) - 'status' - 'updated_at' <> to_jsonb(NEW) - 'status' - 'updated_at' THEN
            RAISE EXCEPTION 'a refund changes its status, and not once it is done'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_keep_what_they_are';
        END IF;
    END IF;
    IF NEW.status <> 'requested' OR NEW.of_suspense IS NOT NULL THEN
        RETURN NEW;
    END IF;
    SELECT * INTO p FROM payments.payments WHERE payment_id = NEW.payment_id FOR NO KEY UPDATE;
    IF p.currency <> NEW.currency OR p.order_id <> NEW.order_id OR NEW.amount_minor > p.captured_minor - (
            SELECT coalesce(sum(r.amount_minor), 0) FROM payments.refunds r
            WHERE r.payment_id = NEW.payment_id AND r.refund_id <> NEW.refund_id AND r.of_suspense IS NULL AND r.status IN ('requested', 'refunded')) THEN
        RAISE EXCEPTION 'more is to be refunded than was captured' USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_within_what_was_captured';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER refunds_guarded BEFORE INSERT OR UPDATE ON payments.refunds FOR EACH ROW EXECUTE FUNCTION payments.guard_refund();

-- Staff requests refunds; the functions that make them see all.
CREATE POLICY requested ON payments.refunds FOR INSERT WITH CHECK (bus.caller_is_staff());
CREATE POLICY requested_again ON payments.refunds FOR UPDATE USING (bus.caller_is_staff());

-- An ended order is settled: a completed one has its total less what staff refunded, the others nothing.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION payments.demand_settled() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    o        record;
    kept     bigint;
    expected bigint := 0;
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
    IF o.status = 'completed' THEN
        SELECT o.total_minor - coalesce(sum(amount_minor), 0) INTO expected
        FROM payments.refunds WHERE order_id = o.order_id AND status = 'refunded' AND of_suspense IS NULL;
    END IF;
    IF kept <> expected THEN
        RAISE EXCEPTION 'order % is % but % % of its money is here', o.order_id, o.status, kept, o.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ended_orders_are_settled';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- A notice has no caller whose rows could be selected, so its function finds the payment by the provider's reference.
-- +goose StatementBegin
CREATE FUNCTION payments.named(provider text, ref text) RETURNS TABLE (payment_id uuid, order_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT p.payment_id, p.order_id FROM payments.payments p
    WHERE p.provider = named.provider AND p.provider_ref = named.ref AND named.ref <> '' LIMIT 1;
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION payments.named FROM PUBLIC;
COMMENT ON FUNCTION payments.named IS 'secret of payments.notices';
