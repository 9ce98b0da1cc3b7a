-- written by: reconcile-payments, tidy-shop (payments.reconciliations)
-- Comparisons of the books of payment providers with what the shop has recorded.

-- +goose Up
CREATE TABLE payments.reconciliations (
    reconciliation_id uuid        PRIMARY KEY,
    provider          text        NOT NULL,
    since             timestamptz NOT NULL,
    compared          bigint      NOT NULL CONSTRAINT reconciliations_compared_not_negative CHECK (compared >= 0),
    differences       jsonb       NOT NULL CONSTRAINT differences_are_a_list CHECK (jsonb_typeof(differences) = 'array'),
    at                timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reconciliations_by_time ON payments.reconciliations (at DESC);
ALTER TABLE payments.reconciliations ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON payments.reconciliations USING (bus.caller_is_staff());
CREATE POLICY steps_see_all ON payments.reconciliations TO popup_steps USING (true);

-- Payments of providers that are called, by time.
CREATE INDEX payments_of_providers_by_time ON payments.payments (created_at, provider) WHERE check_at IS NOT NULL;
