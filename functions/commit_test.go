package functions_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// Functions on whose events people act, or where several facts meet, wait for the disk when they emit: an event that was published
// and lost with its commit would be emitted again under another id.
func TestFunctionsThatJoinFactsCommitDurably(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "auto" })
	shop.Exec(t, `
		CREATE SCHEMA test;
		CREATE TABLE test.commits (source text, setting text);
		CREATE FUNCTION test.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
		BEGIN INSERT INTO test.commits VALUES (NEW.source, current_setting('synchronous_commit')); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER noted AFTER INSERT ON bus.event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION test.note()`)
	for _, status := range []string{"completed", "cancelled", "rejected", "expired"} {
		shop.OrderIn(t, status)
	}
	for _, name := range []string{"track-order", "close-order", "complete-order", "refund-payment", "ship-order", "follow-shipment"} {
		settings := shoptest.Scalar[[]string](t, shop,
			`SELECT coalesce(array_agg(DISTINCT setting), '{}') FROM test.commits WHERE source LIKE '%/functions/' || $1`, name)
		require.Equal(t, []string{"on"}, settings, name)
	}
}
