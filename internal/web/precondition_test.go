package web_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// note is an object that all may read and change.
type note struct{ Body noteBody }

type noteBody struct {
	Text string `json:"text"`
}

type noteID struct {
	ID int64 `path:"id"`
}

type noteChange struct {
	ID   int64 `path:"id"`
	Body noteBody
}

func readNote(ctx context.Context, db web.Reader, in *noteID) (*note, error) {
	n := &note{}
	err := db.QueryRow(ctx, `SELECT text FROM notes WHERE id = $1`, in.ID).Scan(&n.Body.Text)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("note")
	}
	return n, err
}

func changeNote(ctx context.Context, tx pgx.Tx, in *noteChange) (*note, []events.Event, error) {
	tag, err := tx.Exec(ctx, `WITH late AS MATERIALIZED (SELECT pg_sleep(0.02)) UPDATE notes SET text = $2 FROM late WHERE id = $1`,
		in.ID, in.Body.Text)
	if err == nil && tag.RowsAffected() == 0 {
		err = problem.NotFound("note")
	}
	return &note{in.Body}, nil, err
}

func deleteNote(ctx context.Context, tx pgx.Tx, in *noteID) (*struct{}, []events.Event, error) {
	_, err := tx.Exec(ctx, `DELETE FROM notes WHERE id = $1`, in.ID)
	return &struct{}{}, nil, err
}

// notes returns the address of a function with one note.
func notes(t *testing.T) (url string, pool *pgxpool.Pool) {
	t.Helper()
	pool = dbtest.DB(t)
	grantRole(t, pool, "serve-notes")
	for _, sql := range []string{
		`CREATE TABLE notes (id bigint PRIMARY KEY, text text)`, `INSERT INTO notes VALUES (1, 'first')`,
		`GRANT SELECT, UPDATE, DELETE ON notes TO "serve-notes"`,
	} {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	staged := web.StagedCall[noteChange, struct{}, note]{
		Status:  http.StatusOK,
		Prepare: func(context.Context, pgx.Tx, *noteChange) (*struct{}, error) { return &struct{}{}, nil },
		Work:    func(context.Context, *noteChange, *struct{}) error { return nil },
		Do: func(ctx context.Context, tx pgx.Tx, in *noteChange, _ *struct{}) (*note, []events.Event, error) {
			return changeNote(ctx, tx, in)
		},
	}
	door := web.Endpoints("serve-notes", config.Access{},
		web.Get("/v1/notes/{id}", access.All, readNote),
		web.Put("/v1/notes/{id}", access.All, changeNote),
		web.Delete("/v1/notes/{id}", access.All, deleteNote),
		web.PartOf("/v1/notes/{id}", web.Staged(http.MethodPut, "/v1/notes/{id}/staged", access.All, staged)),
		web.Put("/v1/unread/{id}", access.All, changeNote),
		web.Undeclared(web.Get("/v1/elsewhere/{id}", access.All, readNote)),
		web.Put("/v1/elsewhere/{id}", access.All, changeNote),
	)
	require.Len(t, door.Routes(), 6, "one is not declared")
	rt := &function.Runtime{Pool: pool, Log: slog.New(slog.DiscardHandler)}
	server := httptest.NewServer(rt.ServeMux(&function.Function{Name: "serve-notes", Endpoints: door}))
	t.Cleanup(server.Close)
	return server.URL, pool
}

// API-94: a change of what has changed since it was read is rejected, and gets the current ETag.
func TestChangeOfAnOldRepresentationIsRejected(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, path string }{
		{"PUT", "/v1/notes/1"}, {"PUT", "/v1/notes/1/staged"}, {"PUT", "/v1/elsewhere/1"}, {"DELETE", "/v1/notes/1"},
	} {
		t.Run(c.method+c.path, func(t *testing.T) {
			t.Parallel()
			url, _ := notes(t)
			old := call(t, "GET", url+"/v1/notes/1", "").header.Get("ETag")
			require.NotEmpty(t, old)
			require.Equal(t, http.StatusOK, call(t, "PUT", url+"/v1/notes/1", `{"text":"second"}`).status)
			current := call(t, "GET", url+"/v1/notes/1", "").header.Get("ETag")

			for _, tag := range []string{old, `"x"`, "W/" + current, "x", old + `, "y"`} {
				r := call(t, c.method, url+c.path, `{"text":"third"}`, "If-Match", tag)
				require.Equal(t, "/problems/precondition-failed", readProblem(t, r).Type, tag)
				require.Equal(t, http.StatusPreconditionFailed, r.status, tag)
				require.Equal(t, current, r.header.Get("ETag"), tag)
			}
			require.Contains(t, call(t, "GET", url+"/v1/notes/1", "").body, "second")
			r := call(t, c.method, url+c.path, `{"text":"third"}`, "If-Match", old+", "+current)
			require.Less(t, r.status, 300, r.body)
			require.NotContains(t, call(t, "GET", url+"/v1/notes/1", "").body, "second")
		})
	}
}

// API-94
func TestPreconditionOfAnObjectWithoutRepresentation(t *testing.T) {
	t.Parallel()
	url, _ := notes(t)
	require.Equal(t, http.StatusPreconditionFailed, call(t, "PUT", url+"/v1/unread/1", `{"text":"x"}`, "If-Match", `"x"`).status)
	require.Equal(t, http.StatusOK, call(t, "PUT", url+"/v1/unread/1", `{"text":"x"}`, "If-Match", "*").status)
	require.Equal(t, http.StatusNotFound, call(t, "PUT", url+"/v1/notes/2", `{"text":"x"}`, "If-Match", `"x"`).status)
}

// API-94: of many changes of one representation at the same time, one is made.
func TestOneOfManyConcurrentChangesIsMade(t *testing.T) {
	t.Parallel()
	url, _ := notes(t)
	tag := call(t, "GET", url+"/v1/notes/1", "").header.Get("ETag")
	var all sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		all.Go(func() {
			statuses[i] = call(t, "PUT", url+"/v1/notes/1", `{"text":"by `+string(rune('a'+i))+`"}`, "If-Match", tag).status
		})
	}
	all.Wait()
	made := 0
	for _, status := range statuses {
		require.Contains(t, []int{http.StatusOK, http.StatusPreconditionFailed}, status)
		if status == http.StatusOK {
			made++
		}
	}
	require.Equal(t, 1, made, statuses)
}
