package eventstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ListDeadLetters returns the open dead letters of a function, or of all, the oldest first.
func ListDeadLetters(ctx context.Context, db Querier, consumer string) ([]DeadLetter, error) {
	return readDeadLetters(ctx, db, openDeadLetters, DeadLetterFilter{Consumer: consumer}.args())
}

// DeadLetterFilter selects a page of the open dead letters. An empty field selects all.
type DeadLetterFilter struct {
	Consumer, Type string
	NewestFirst    bool
	Limit, Offset  int64
}

func (f DeadLetterFilter) args() pgx.NamedArgs {
	return pgx.NamedArgs{"consumer": f.Consumer, "type": f.Type, "newest_first": f.NewestFirst, "limit": f.Limit, "offset": f.Offset}
}

const openDeadLetters = `resolved_at IS NULL AND @consumer IN ('', consumer) AND @type IN ('', type)
		ORDER BY CASE WHEN @newest_first THEN -dead_letter_id ELSE dead_letter_id END
		LIMIT nullif(@limit::bigint, 0) OFFSET @offset::bigint`

// PageOfDeadLetters returns a page of the open dead letters, the oldest first, and how many there are in all.
func PageOfDeadLetters(ctx context.Context, db Querier, f DeadLetterFilter) (page []DeadLetter, total int64, err error) {
	rows, err := db.Query(ctx, `
		SELECT count(*)
		FROM bus.dead_letters
		WHERE resolved_at IS NULL AND @consumer IN ('', consumer) AND @type IN ('', type)`, f.args())
	if err == nil {
		total, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	}
	if err != nil {
		return nil, 0, fmt.Errorf("count dead letters: %w", err)
	}
	page, err = readDeadLetters(ctx, db, openDeadLetters, f.args())
	return page, total, err
}

// ErrNoDeadLetter reports a number that no dead letter has.
var ErrNoDeadLetter = errors.New("it does not exist")

// ShowDeadLetter returns a dead letter, open or resolved.
func ShowDeadLetter(ctx context.Context, db Querier, id int64) (DeadLetter, error) {
	found, err := readDeadLetters(ctx, db, `dead_letter_id = @id`, pgx.NamedArgs{"id": id})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("show dead letter %d: %w", id, ErrNoDeadLetter)
	}
	if err != nil {
		return DeadLetter{}, err
	}
	return found[0], nil
}

// DeadLetterAction is what a person did about a dead letter.
type DeadLetterAction struct {
	Action string    `json:"action" enum:"redrive,discard"`
	By     string    `json:"by"`
	Note   string    `json:"note,omitempty"`
	At     time.Time `json:"at"`
}

// DeadLetterActions returns what people did about a dead letter, the first one first.
func DeadLetterActions(ctx context.Context, db Querier, id int64) ([]DeadLetterAction, error) {
	rows, err := db.Query(ctx, `
		SELECT action, by, note, at
		FROM bus.dead_letter_actions
		WHERE dead_letter_id = @id
		ORDER BY at`, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, fmt.Errorf("read actions about dead letter %d: %w", id, err)
	}
	actions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[DeadLetterAction])
	if err != nil {
		return nil, fmt.Errorf("read actions about dead letter %d: %w", id, err)
	}
	for i := range actions {
		actions[i].At = actions[i].At.UTC()
	}
	return actions, nil
}

func readDeadLetters(ctx context.Context, db Querier, where string, args pgx.NamedArgs) ([]DeadLetter, error) {
	rows, err := db.Query(ctx, `
		SELECT dead_letter_id, event_id, type, source, consumer, revision, kind, reason, attempts, stored_at, event, resolved_at
		FROM bus.dead_letters
		WHERE `+where, args)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p DeadLetter, err error) {
		var event []byte // anything at all may have been sent
		err = row.Scan(&p.ID, &p.EventID, &p.Type, &p.Source, &p.Consumer, &p.Revision, &p.Kind, &p.Reason, &p.Attempts, &p.StoredAt, &event,
			&p.ResolvedAt)
		p.Event = strings.ToValidUTF8(string(event), "\uFFFD")
		return p, err
	})
}
