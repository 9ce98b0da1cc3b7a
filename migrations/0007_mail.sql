-- written by: send-email (mails)
-- One row per order and kind. Who it goes to and what it says is read from the order when it is written.

-- +goose Up
CREATE SCHEMA mail;

CREATE TABLE mail.mails (
    mail_id    uuid        PRIMARY KEY,
    order_id   uuid        NOT NULL,
    kind       text        NOT NULL,
    status     text        NOT NULL CONSTRAINT mails_status_known CHECK (status IN ('sending', 'waiting', 'sent', 'failed', 'unknown')),
    tries      integer     NOT NULL DEFAULT 1,
    taken_by   uuid        NOT NULL,
    taken_at   timestamptz NOT NULL DEFAULT now(),
    sent_at    timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT mails_once_per_order_and_kind UNIQUE (order_id, kind)
) WITH (fillfactor = 70);
CREATE TRIGGER mails_keep_times BEFORE UPDATE ON mail.mails FOR EACH ROW EXECUTE FUNCTION bus.keep_times();
