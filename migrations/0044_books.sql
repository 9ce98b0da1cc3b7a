-- written by: triggers (entries)
-- The double-entry book of all money and points. Each entry takes an amount from one account to another, so what all accounts hold is always 0
-- together. It is written by triggers on what the shop records about payments and points, in the same transaction.

-- +goose Up
CREATE SCHEMA books;

-- debit receives the amount and credit gives it. ref is the payment or the customer, and cause what was recorded about it.
CREATE TABLE books.entries (
    debit  text        NOT NULL,
    credit text        NOT NULL,
    unit   text        NOT NULL, -- a currency, or POINTS
    amount bigint      NOT NULL CONSTRAINT entries_move_something CHECK (amount > 0),
    ref    uuid        NOT NULL,
    cause  text        NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT entries_have_two_accounts CHECK (debit <> credit)
);
CREATE INDEX entries_by_ref ON books.entries (ref);
CREATE TRIGGER entries_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON books.entries
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();
ALTER TABLE books.entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON books.entries USING (bus.caller_is_staff());
CREATE POLICY steps_see_all ON books.entries TO popup_steps USING (true);

-- balances is the trial balance: what each account received and gave.
CREATE VIEW books.balances WITH (security_invoker = true) AS
    SELECT side.account, e.unit, sum(side.received)::bigint AS debit, sum(side.given)::bigint AS credit
    FROM books.entries e, LATERAL (VALUES (e.debit, e.amount, 0), (e.credit, 0, e.amount)) AS side (account, received, given)
    GROUP BY side.account, e.unit;

-- legs returns the entries of what is recorded: money captured or refunded, money put into suspense, money returned from there, points.
CREATE FUNCTION books.legs(e payments.entries) RETURNS SETOF books.entries LANGUAGE sql STABLE AS $$
    SELECT 'provider:' || e.provider, 'customers', e.currency, e.amount_minor, e.payment_id, 'captured', e.at WHERE e.kind = 'captured' AND e.amount_minor > 0
    UNION ALL
    SELECT 'customers', 'provider:' || e.provider, e.currency, e.amount_minor, e.payment_id, 'refunded', e.at WHERE e.kind = 'refunded' AND e.amount_minor > 0
$$;
CREATE FUNCTION books.legs(s payments.suspense) RETURNS SETOF books.entries LANGUAGE sql STABLE AS $$
    SELECT 'provider:' || s.provider, 'suspense', s.currency, s.amount_minor, s.payment_id, s.why, s.came_at
$$;
CREATE FUNCTION books.legs(r payments.refunds) RETURNS SETOF books.entries LANGUAGE sql STABLE AS $$
    SELECT 'suspense', 'provider:' || p.provider, r.currency, r.amount_minor, r.payment_id, 'returned', r.updated_at
    FROM payments.payments p
    WHERE p.payment_id = r.payment_id AND r.of_suspense IS NOT NULL AND r.status = 'refunded'
$$;
CREATE FUNCTION books.legs(e points.entries) RETURNS SETOF books.entries LANGUAGE sql STABLE AS $$
    SELECT leg.debit, leg.credit, 'POINTS', leg.amount, e.customer_id, e.kind, e.at
    FROM (SELECT CASE e.kind
            WHEN 'earn' THEN 'points:granted'
            WHEN 'reclaim' THEN 'points:granted'
            WHEN 'adjust' THEN 'points:adjusted'
            WHEN 'expire' THEN 'points:expired'
            WHEN 'release' THEN CASE WHEN e.expires_at IS NULL THEN 'points:held' ELSE 'points:spent' END
            ELSE 'points:held' END) AS kind (other),
        LATERAL (VALUES
            (kind.other, 'points:customers', e.available),
            ('points:customers', kind.other, -e.available),
            (kind.other, 'points:debts', -e.debt),
            ('points:debts', kind.other, e.debt),
            ('points:held', 'points:spent', CASE e.kind WHEN 'spend' THEN e.points END)) AS leg (debit, credit, amount)
    WHERE leg.amount > 0
$$;

INSERT INTO books.entries
SELECT * FROM (
    SELECT l.* FROM payments.entries e, books.legs(e) l
    UNION ALL SELECT l.* FROM payments.suspense e, books.legs(e) l
    UNION ALL SELECT l.* FROM payments.refunds e, books.legs(e) l
    UNION ALL SELECT l.* FROM points.entries e, books.legs(e) l) AS recorded
ORDER BY at;

-- +goose StatementBegin
CREATE FUNCTION books.enter_payments() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO books.entries SELECT l.* FROM entered e, books.legs(ROW(e.*)::payments.entries) l;
    RETURN NULL;
END $$;
CREATE FUNCTION books.enter_suspense() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.amount_minor := NEW.amount_minor - OLD.amount_minor;
    END IF;
    INSERT INTO books.entries SELECT * FROM books.legs(NEW);
    RETURN NULL;
END $$;
CREATE FUNCTION books.enter() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO books.entries SELECT * FROM books.legs(NEW);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entries_are_in_the_book AFTER INSERT ON payments.entries REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION books.enter_payments();
CREATE TRIGGER suspense_is_in_the_book AFTER INSERT OR UPDATE OF amount_minor ON payments.suspense
    FOR EACH ROW EXECUTE FUNCTION books.enter_suspense();
CREATE TRIGGER returns_are_in_the_book AFTER INSERT ON payments.refunds
    FOR EACH ROW WHEN (NEW.status = 'refunded' AND NEW.of_suspense IS NOT NULL) EXECUTE FUNCTION books.enter();
CREATE TRIGGER later_returns_are_in_the_book AFTER UPDATE OF status ON payments.refunds
    FOR EACH ROW WHEN (NEW.status = 'refunded' AND OLD.status <> 'refunded' AND NEW.of_suspense IS NOT NULL) EXECUTE FUNCTION books.enter();
CREATE TRIGGER points_are_in_the_book AFTER INSERT ON points.entries FOR EACH ROW EXECUTE FUNCTION books.enter();
