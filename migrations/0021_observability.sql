-- written by: popup check (bus.checks)
-- What metrics are read from: orders past their deadline, events handled since a moment, and the last results of popup check.

-- +goose Up

-- The rows of an append-only table lie in the order of their time, so a block range index finds the latest ones. It costs an insert
-- next to nothing.
CREATE INDEX inbox_by_time ON bus.inbox USING brin (claimed_at) WITH (autosummarize = on);

-- The result of each promise in the last whole run of popup check.
CREATE TABLE bus.checks (
    domain     text        NOT NULL,
    promise    text        NOT NULL,
    failures   bigint      NOT NULL CONSTRAINT checks_failures_not_negative CHECK (failures >= 0),
    checked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (domain, promise)
);

-- seconds_overdue returns by how many seconds the open order that is longest past its deadline is past it, or 0. It reveals nothing
-- else about orders.
-- +goose StatementBegin
CREATE FUNCTION orders.seconds_overdue() RETURNS double precision LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT greatest(0, coalesce(extract(epoch FROM now() - min(o.deadline)), 0)) FROM orders.orders o WHERE o.deadline IS NOT NULL);
END $$;
-- +goose StatementEnd
