-- written by: triggers (orders.baskets, orders.basket_lines)
-- A basket is closed while its order is open or has ended well. An order that is rejected, or expires unpaid, gives it back.

-- +goose Up
-- restore_basket opens the basket of an order again, with the time that it had left when it was ordered. Has its owner begun
-- another one in the meantime, the lines go into that one: at most 99 of a thing.
-- +goose StatementBegin
CREATE FUNCTION orders.restore_basket(ended uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    closed orders.baskets;
    until  timestamptz;
    begun  uuid;
BEGIN
    SELECT * INTO closed FROM orders.baskets b WHERE b.order_id = ended FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    until := greatest(closed.expires_at, now() + (closed.expires_at - closed.updated_at));
    DELETE FROM orders.baskets b
    WHERE (b.owner_id = closed.owner_id OR b.token_hash = closed.token_hash) AND b.order_id IS NULL AND b.expires_at <= now();
    LOOP
        SELECT b.basket_id INTO begun FROM orders.baskets b
        WHERE (b.owner_id = closed.owner_id OR b.token_hash = closed.token_hash) AND b.order_id IS NULL FOR UPDATE;
        EXIT WHEN FOUND;
        BEGIN
            UPDATE orders.baskets SET order_id = NULL, expires_at = until WHERE basket_id = closed.basket_id;
            RETURN;
        EXCEPTION WHEN unique_violation THEN NULL; -- another one was begun just now, and is found next
        END;
    END LOOP;
    INSERT INTO orders.basket_lines AS kept (line_id, basket_id, product_id, variant_id, quantity, unit_price_minor, currency, created_at)
    SELECT gen_random_uuid(), begun, product_id, variant_id, quantity, unit_price_minor, currency, created_at
    FROM orders.basket_lines WHERE basket_id = closed.basket_id
    ON CONFLICT ON CONSTRAINT basket_lines_once_per_thing DO UPDATE SET quantity = least(kept.quantity + excluded.quantity, 99);
    UPDATE orders.baskets SET expires_at = greatest(expires_at, until) WHERE basket_id = begun;
    DELETE FROM orders.baskets WHERE basket_id = closed.basket_id;
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION orders.restore_basket FROM PUBLIC;

-- Whoever ends the order gives its basket back in the same transaction.
-- +goose StatementBegin
CREATE FUNCTION orders.restore_basket_of_order() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM orders.restore_basket(NEW.order_id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER refused_orders_restore_baskets AFTER UPDATE OF status ON orders.orders
    FOR EACH ROW WHEN (NEW.status IN ('rejected', 'expired') AND OLD.status <> NEW.status) EXECUTE FUNCTION orders.restore_basket_of_order();

-- Orders that were refused before this was a rule.
SELECT orders.restore_basket(order_id) FROM orders.orders JOIN orders.baskets USING (order_id) WHERE status IN ('rejected', 'expired');
