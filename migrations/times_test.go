package migrations_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/dbtest"
)

// OPS-07: an UPDATE of created_at has no effect, and updated_at is the time of the last change whatever a statement
// sets it to.
func TestTimesOfRowsCannotBeSet_OPS_07(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	user, guest := uuid.NewString(), uuid.NewString()
	s.exec(t, `INSERT INTO accounts.users (user_id, email) VALUES ($1, $2)`, user, user+"@example.test")
	s.exec(t, `INSERT INTO accounts.guests (guest_id, name, phone) VALUES ($1, 'Grace', '+49 40 7654321')`, guest)
	product := s.product(t, "TIMES-01", "Clock", "")
	for _, row := range []struct{ table, key, id string }{
		{"accounts.users", "user_id", user},
		{"accounts.guests", "guest_id", guest},
		{"catalogue.stores", "store_id", s.store},
		{"catalogue.categories", "category_id", s.category},
		{"catalogue.products", "product_id", product},
	} {
		of := ` FROM ` + row.table + ` WHERE ` + row.key + ` = $1`
		created := s.one(t, `SELECT created_at`+of, row.id)
		for _, set := range []string{"", "created_at = '2000-01-01', ", "updated_at = '2000-01-01', "} {
			before := s.one(t, `SELECT clock_timestamp()`).(time.Time)
			s.exec(t, `UPDATE `+row.table+` SET `+set+`name = name || '!' WHERE `+row.key+` = $1`, row.id)
			require.Equal(t, created, s.one(t, `SELECT created_at`+of, row.id), "%s: %s", row.table, set)
			updated := s.one(t, `SELECT updated_at`+of, row.id).(time.Time)
			require.False(t, updated.Before(before), "%s: %s", row.table, set)
		}
	}
}

// OPS-07: every table with both times has a trigger that keeps them.
func TestEveryTableKeepsItsTimes_OPS_07(t *testing.T) {
	t.Parallel()
	var without []string
	require.NoError(t, dbtest.Tx(t).QueryRow(t.Context(), `
		SELECT array_agg(c.oid::regclass::text)
		FROM pg_class c
		WHERE relkind = 'r' AND (
			SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND attname IN ('created_at', 'updated_at') AND NOT attisdropped) = 2
		AND NOT EXISTS (
			SELECT FROM pg_trigger g JOIN pg_proc f ON f.oid = tgfoid
			WHERE tgrelid = c.oid AND tgtype & (1 | 2 | 16) = 1 | 2 | 16 AND tgenabled = 'O'
			AND prosrc LIKE '%NEW.created_at := OLD.created_at;%NEW.updated_at := clock_timestamp();%')`).Scan(&without))
	require.ElementsMatch(t, []string{"payments.payments", "stock.levels", "stock.reservations"}, without,
		"the statements and triggers that change these set their times")
}
