package tracing

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/attribute"

	"github.com/popup-shop/popup/internal/pgbatch"
)

// maxSummary bounds the name of a span of SQL.
const maxSummary = 80

// SQL starts a span for statements that are sent to the database together, for each function that waits for them. The
// returned function ends it. Statements have their arguments apart, so the span shows no personal data. SQL returns nil
// where no function's span is in the context.
func (t *Tracer) SQL(ctx context.Context, statements []string) (end func(error)) {
	if t == nil || len(statements) == 0 {
		return nil
	}
	var spans []*Span
	for _, member := range members(ctx) {
		function, ok := member.Value(functionKey{}).(string)
		if !ok {
			continue
		}
		_, span := t.Start(member, function, summary(statements), Client,
			attribute.String("db.system.name", "postgresql"),
			attribute.Int("db.operation.batch.size", len(statements)),
			attribute.String("db.query.text", strings.Join(statements, ";\n")))
		spans = append(spans, span)
	}
	if len(spans) == 0 {
		return nil
	}
	return func(err error) {
		for _, span := range spans {
			span.End(sqlError(err))
		}
	}
}

// summary returns the first words of statements.
func summary(statements []string) string {
	words := make([]string, len(statements))
	for i, sql := range statements {
		words[i], _, _ = strings.Cut(strings.TrimSpace(sql), " ")
		words[i], _, _ = strings.Cut(words[i], "\n")
	}
	text := strings.Join(words, "; ")
	return text[:min(len(text), maxSummary)]
}

// sqlError returns the condition of an error of Postgres without its message, which may quote data.
func sqlError(err error) error {
	var postgres *pgconn.PgError
	if errors.As(err, &postgres) {
		return errors.New("SQLSTATE " + postgres.Code)
	}
	return err
}

// Counter returns a counter for a pool of connections, which makes spans if there is a tracer.
func (t *Tracer) Counter() *pgbatch.Counter {
	if t == nil {
		return &pgbatch.Counter{}
	}
	return &pgbatch.Counter{Observe: t.SQL}
}
