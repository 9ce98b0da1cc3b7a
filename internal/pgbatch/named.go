package pgbatch

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
)

// numbered is a statement whose named arguments were numbered.
type numbered struct {
	sql   string
	names []string
}

// numberedSQL caches the numbered form of every statement of the program; the library would parse each at every call.
var numberedSQL sync.Map

// positional returns the statement with numbered arguments in place of named ones. A statement without named arguments,
// or with any that the library rejects, is returned as it is.
func (s Statement) positional() Statement {
	if len(s.Args) != 1 {
		return s
	}
	named, ok := s.Args[0].(pgx.NamedArgs)
	if !ok {
		return s
	}
	n, ok := numberOf(s.SQL, named)
	if !ok {
		return s
	}
	s.SQL, s.Args = n.sql, make([]any, len(n.names))
	for i, name := range n.names {
		s.Args[i] = named[name]
	}
	return s
}

func numberOf(sql string, named pgx.NamedArgs) (numbered, bool) {
	if cached, ok := numberedSQL.Load(sql); ok {
		return cached.(numbered), true
	}
	own := make(pgx.NamedArgs, len(named))
	for name := range named {
		own[name] = name
	}
	text, names, err := own.RewriteQuery(context.Background(), nil, sql, nil)
	if err != nil {
		return numbered{}, false
	}
	n := numbered{sql: text}
	for _, name := range names {
		text, _ := name.(string) // empty for a name that was not given: its argument is NULL
		n.names = append(n.names, text)
	}
	numberedSQL.Store(sql, n)
	return n, true
}
