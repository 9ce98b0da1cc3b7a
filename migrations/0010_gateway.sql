-- written by: serve-gateway (bus.rates)
-- How often somebody has called this minute, over all copies of the gateway. It need not survive a crash.

-- +goose Up
CREATE UNLOGGED TABLE bus.rates (
    caller text        NOT NULL,
    minute timestamptz NOT NULL,
    calls  bigint      NOT NULL CONSTRAINT rates_count_up CHECK (calls > 0),
    PRIMARY KEY (caller, minute)
);
CREATE INDEX rates_by_minute ON bus.rates (minute);

-- open_by_status counts the orders that are not at their end, for whoever watches the shop, and tells nothing else about them.
-- +goose StatementBegin
CREATE FUNCTION orders.open_by_status() RETURNS TABLE (status text, orders bigint) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT o.status, count(*) FROM orders.orders o WHERE o.deadline IS NOT NULL GROUP BY o.status;
END $$;
-- +goose StatementEnd
