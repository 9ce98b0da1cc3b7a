package serveevents

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// DeadLettersRequest selects a page of the dead letters that are open, oldest first by default.
type DeadLettersRequest struct {
	web.Paging
	Function string `query:"function" maxLength:"60" doc:"The function that could not handle them."`
	Type     string `query:"type" maxLength:"60"`
	Sort     string `query:"sort" enum:"stored_at,-stored_at" default:"stored_at"`
}

// DeadLetter is an event that its consumer could not handle.
type DeadLetter struct {
	ID         int64      `json:"id"`
	EventID    string     `json:"event_id"`
	Type       string     `json:"type"`
	Source     string     `json:"source"`
	Function   string     `json:"function" doc:"The function that could not handle it."`
	Revision   string     `json:"revision,omitempty"`
	Kind       string     `json:"kind" enum:"poison,unknown,unreadable,undelivered"`
	Reason     string     `json:"reason"`
	Attempts   int        `json:"attempts"`
	StoredAt   time.Time  `json:"stored_at"`
	ResolvedAt *time.Time `json:"resolved_at,omitempty"`
}

// DeadLetterRequest names a dead letter.
type DeadLetterRequest struct {
	ID int64 `path:"id" minimum:"1"`
}

// DiscardRequest gives a dead letter up.
type DiscardRequest struct {
	DeadLetterRequest
	Body struct {
		Note string `json:"note" minLength:"1" maxLength:"500" doc:"Why its event needs no handling."`
	}
}

// DeadLetterAnswer is a dead letter with its event, and what people did about it.
type DeadLetterAnswer struct {
	Body struct {
		DeadLetter
		Event   string                        `json:"event" doc:"What was delivered; it may be no event at all."`
		Actions []eventstore.DeadLetterAction `json:"actions" nullable:"false"`
	}
}

func deadLetterOf(d eventstore.DeadLetter) DeadLetter {
	return DeadLetter{
		ID: d.ID, EventID: d.EventID, Type: d.Type, Source: d.Source, Function: d.Consumer, Revision: d.Revision, Kind: d.Kind,
		Reason: d.Reason, Attempts: d.Attempts, StoredAt: d.StoredAt.UTC(),
		ResolvedAt: utc(d.ResolvedAt),
	}
}

func listDeadLetters(ctx context.Context, db web.Reader, in *DeadLettersRequest) (items []DeadLetter, total int64, err error) {
	page, total, err := eventstore.PageOfDeadLetters(ctx, db, eventstore.DeadLetterFilter{
		Consumer: in.Function, Type: in.Type, NewestFirst: in.Sort == "-stored_at", Limit: in.Limit, Offset: in.Offset(),
	})
	for _, d := range page {
		items = append(items, deadLetterOf(d))
	}
	return items, total, err
}

func readDeadLetter(ctx context.Context, db web.Reader, in *DeadLetterRequest) (*DeadLetterAnswer, error) {
	return showDeadLetter(ctx, db, in.ID)
}

func showDeadLetter(ctx context.Context, db eventstore.Querier, id int64) (*DeadLetterAnswer, error) {
	d, err := eventstore.ShowDeadLetter(ctx, db, id)
	if errors.Is(err, eventstore.ErrNoDeadLetter) {
		return nil, problem.NotFound("dead letter")
	}
	if err != nil {
		return nil, err
	}
	actions, err := eventstore.DeadLetterActions(ctx, db, id)
	if err != nil {
		return nil, err
	}
	answer := &DeadLetterAnswer{}
	answer.Body.DeadLetter, answer.Body.Event, answer.Body.Actions = deadLetterOf(d), d.Event, actions
	if actions == nil {
		answer.Body.Actions = []eventstore.DeadLetterAction{}
	}
	return answer, nil
}

// redrive has the event of a dead letter delivered to its function again.
func redrive(ctx context.Context, tx pgx.Tx, in *DeadLetterRequest) (*DeadLetterAnswer, []events.Event, error) {
	n, err := eventstore.Redrive(ctx, tx, auth.CallerFrom(ctx).ID, "", in.ID)
	return acted(ctx, tx, in.ID, n, err, "It cannot be redriven: it was resolved before, or its event is not in the event store.")
}

// discard gives a dead letter up; its event counts as handled.
func discard(ctx context.Context, tx pgx.Tx, in *DiscardRequest) (*DeadLetterAnswer, []events.Event, error) {
	n, err := eventstore.DiscardWithNote(ctx, tx, auth.CallerFrom(ctx).ID, in.Body.Note, "", in.ID)
	return acted(ctx, tx, in.ID, n, err, "It was resolved before.")
}

// acted returns the dead letter after an action, or a problem if the action was not possible.
func acted(ctx context.Context, tx pgx.Tx, id, n int64, err error, refusal string) (*DeadLetterAnswer, []events.Event, error) {
	if err != nil {
		return nil, nil, err
	}
	answer, err := showDeadLetter(ctx, tx, id)
	if err == nil && n == 0 {
		err = problem.New(http.StatusConflict, "not-possible-now", refusal)
	}
	return answer, nil, err
}
