-- written by: send-email, tidy-shop (mail.recipients)
-- How many mails an address got today that nobody with an account asked for: anyone can order with the address of someone else.

-- +goose Up
CREATE TABLE mail.recipients (
    address_hash bytea   PRIMARY KEY, -- an address is personal data
    day          date    NOT NULL,
    mails        integer NOT NULL CONSTRAINT recipients_mails_positive CHECK (mails > 0)
);
CREATE INDEX recipients_by_day ON mail.recipients (day);

-- A mail that is not sent because of the limit is "limited"; staff can send it.
ALTER TABLE mail.mails DROP CONSTRAINT mails_status_known,
    ADD CONSTRAINT mails_status_known CHECK (status IN ('sending', 'waiting', 'sent', 'failed', 'unknown', 'limited')) NOT VALID;
ALTER TABLE mail.mails VALIDATE CONSTRAINT mails_status_known;
