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
