package serveorders

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/web"
)

// Note is what staff wrote about an order. Customers do not see it.
type Note struct {
	ID        string    `json:"id" format:"uuid"`
	OrderID   string    `json:"order_id" format:"uuid"`
	AuthorID  string    `json:"author_id" format:"uuid"`
	Author    string    `json:"author" doc:"The name of the author; empty once the account was closed."`
	Note      string    `json:"note"`
	CreatedAt time.Time `json:"created_at"`
}

// NoteRequest adds a note.
type NoteRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Note string `json:"note" minLength:"1" maxLength:"2000"`
	}
}

// NoteAnswer is a note.
type NoteAnswer struct{ Body Note }

// NotesRequest selects a page of the notes on an order.
type NotesRequest struct {
	web.Paging
	ID string `path:"id" format:"uuid"`
}

const noteColumns = `note_id::text, order_id::text, author_id::text, coalesce((SELECT name FROM accounts.users u WHERE u.user_id = author_id), ''),
	text, created_at`

func scanNote(row pgx.CollectableRow) (n Note, err error) {
	err = row.Scan(&n.ID, &n.OrderID, &n.AuthorID, &n.Author, &n.Note, &n.CreatedAt)
	n.CreatedAt = n.CreatedAt.UTC()
	return n, err
}

// listNotes returns the notes on an order, oldest first.
func listNotes(ctx context.Context, db web.Reader, in *NotesRequest) (items []Note, total int64, err error) {
	if _, err := orderview.Read(ctx, db, in.ID); err != nil {
		return nil, 0, err
	}
	args := pgx.NamedArgs{"order_id": in.ID, "limit": in.Limit, "offset": in.Offset()}
	return web.QueryPage(ctx, db, scanNote, `FROM orders.notes WHERE order_id = @order_id`,
		`SELECT `+noteColumns, `ORDER BY created_at, note_id LIMIT @limit OFFSET @offset`, args)
}

func addNote(ctx context.Context, tx pgx.Tx, in *NoteRequest) (*NoteAnswer, []events.Event, error) {
	ok, err := isAccessible(ctx, tx, in.ID)
	if err != nil || !ok {
		return nil, nil, orNotFound(err)
	}
	noteID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO orders.notes (note_id, order_id, author_id, text)
		VALUES (@note_id, @order_id, @author_id, @text)
		RETURNING `+noteColumns, pgx.NamedArgs{
		"note_id": noteID.String(), "order_id": in.ID, "author_id": auth.CallerFrom(ctx).ID, "text": in.Body.Note,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("store note on order %s: %w", in.ID, err)
	}
	note, err := pgx.CollectExactlyOneRow(rows, scanNote)
	if err != nil {
		return nil, nil, fmt.Errorf("store note on order %s: %w", in.ID, err)
	}
	return &NoteAnswer{note}, nil, nil
}
