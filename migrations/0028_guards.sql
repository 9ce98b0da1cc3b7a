-- written by: nobody new
-- What was agreed on cannot be added to, and the log of an order has no version that the order has not had.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION orders.guard_lines() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT o.order_id INTO wrong
    FROM (SELECT DISTINCT order_id FROM added) a JOIN orders.orders o USING (order_id)
    WHERE o.subtotal_minor <> (SELECT sum(l.total_minor) FROM orders.lines l WHERE l.order_id = o.order_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the lines of order % do not add up to its subtotal', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_add_up_to_the_subtotal';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER lines_add_up_to_the_subtotal AFTER INSERT ON orders.lines REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION orders.guard_lines();

-- +goose StatementBegin
CREATE FUNCTION orders.guard_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM orders.orders o WHERE o.order_id = NEW.order_id AND o.version >= NEW.version) THEN
        RAISE EXCEPTION 'order % has had no version %', NEW.order_id, NEW.version
            USING ERRCODE = 'check_violation', CONSTRAINT = 'history_follows_its_order';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER history_follows_its_order AFTER INSERT ON orders.history
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION orders.guard_history();
