-- written by: nobody new
-- What belongs to an account is added while the account is open, and an account is closed while no order of it is open. Adding
-- locks the account's row FOR KEY SHARE and closing locks it FOR UPDATE, so that whichever comes second sees the other.

-- +goose Up
-- demand_open(column that names the account)
-- +goose StatementBegin
CREATE FUNCTION accounts.demand_open() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
BEGIN
    PERFORM FROM accounts.users u WHERE u.user_id = owner AND u.closed_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no open account %', owner USING ERRCODE = 'check_violation', CONSTRAINT = 'closed_accounts_have_nothing';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER addresses_are_of_open_accounts BEFORE INSERT ON accounts.addresses FOR EACH ROW EXECUTE FUNCTION accounts.demand_open('user_id');
CREATE TRIGGER clients_are_of_open_accounts BEFORE INSERT ON accounts.clients FOR EACH ROW EXECUTE FUNCTION accounts.demand_open('owner_id');
CREATE TRIGGER passwords_are_of_open_accounts BEFORE INSERT ON accounts.passwords FOR EACH ROW EXECUTE FUNCTION accounts.demand_open('user_id');
CREATE TRIGGER sessions_are_of_open_accounts BEFORE INSERT ON accounts.sessions FOR EACH ROW EXECUTE FUNCTION accounts.demand_open('user_id');
CREATE TRIGGER ssh_keys_are_of_open_accounts BEFORE INSERT ON accounts.ssh_keys FOR EACH ROW EXECUTE FUNCTION accounts.demand_open('user_id');

-- A customer is an open account or a known guest, who may get an account at any moment and keeps the id.
-- +goose StatementBegin
CREATE FUNCTION orders.demand_customer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    FOR i IN 1 .. 2 LOOP
        PERFORM FROM accounts.users u WHERE u.user_id = NEW.customer_id AND u.closed_at IS NULL FOR KEY SHARE;
        IF FOUND THEN
            RETURN NEW;
        END IF;
        PERFORM FROM accounts.guests g WHERE g.guest_id = NEW.customer_id FOR KEY SHARE;
        IF FOUND THEN
            RETURN NEW;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'there is no customer %', NEW.customer_id USING ERRCODE = 'check_violation', CONSTRAINT = 'closed_accounts_order_nothing';
END $$;
-- +goose StatementEnd
CREATE TRIGGER orders_are_of_open_accounts BEFORE INSERT OR UPDATE OF customer_id ON orders.orders
    FOR EACH ROW WHEN (NEW.customer_id IS NOT NULL) EXECUTE FUNCTION orders.demand_customer();

-- +goose StatementBegin
CREATE FUNCTION accounts.demand_no_open_order() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM accounts.users u WHERE u.user_id = NEW.user_id FOR UPDATE;
    IF EXISTS (SELECT FROM orders.orders o WHERE o.customer_id = NEW.user_id AND o.deadline IS NOT NULL) THEN
        RAISE EXCEPTION 'an order of account % is open', NEW.user_id USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_with_open_orders_stay';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER accounts_with_open_orders_stay AFTER UPDATE OF closed_at ON accounts.users
    FOR EACH ROW WHEN (OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL) EXECUTE FUNCTION accounts.demand_no_open_order();
