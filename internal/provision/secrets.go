package provision

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/function"
)

// secret is a table that only its writers may read, or a function that only they may call, as marked by a comment in
// the schema.
type secret struct {
	Object  string
	Of      string // the table whose writers may
	IsTable bool
}

func readSecrets(ctx context.Context, tx pgx.Tx) ([]secret, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.oid::regclass::text, c.oid::regclass::text, true
		FROM pg_class c JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
		WHERE d.description = 'secret'
		UNION ALL
		SELECT p.oid::regprocedure::text, substr(d.description, length('secret of ') + 1), false
		FROM pg_proc p JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass
		WHERE d.description LIKE 'secret of %'`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[secret])
}

// grant gives access to a secret to its writers, and revokes it from all others.
func (s secret) grant(role string, writes []string) string {
	switch writer := slices.Contains(writes, s.Of); {
	case s.IsTable && !writer:
		return fmt.Sprintf("REVOKE SELECT ON %s FROM %s;", s.Object, role)
	case !s.IsTable && writer:
		return fmt.Sprintf("GRANT EXECUTE ON FUNCTION %s TO %s;", s.Object, role)
	}
	return ""
}

// stepping lets event functions see all rows, and functions with HTTP routes only those of their caller. The current
// user may take on every role, since a program with many functions uses the role of each.
func stepping(role string, f function.Function) string {
	verb, word := "GRANT", "TO"
	if f.Endpoints != nil {
		verb, word = "REVOKE", "FROM"
	}
	return fmt.Sprintf("%s popup_steps %s %s; GRANT %s TO CURRENT_USER;", verb, word, role, role)
}
