package main_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/local/postgres"
)

// update changes rows of the shop's database, and returns how many.
func (p *program) update(statement string) int64 {
	p.t.Helper()
	found, err := postgres.Find(filepath.Join(p.dir, "postgres"))
	require.NoError(p.t, err)
	conn, err := pgx.Connect(p.t.Context(), found.URL())
	require.NoError(p.t, err)
	defer conn.Close(p.t.Context())
	tag, err := conn.Exec(p.t.Context(), statement)
	require.NoError(p.t, err)
	return tag.RowsAffected()
}

// NOT-10: mails whose outcome is unknown are listed, and a person has them sent again, each once.
func TestMailsWithUnknownOutcomeAreSentAgainByAPerson(t *testing.T) {
	p := newProgram(t)
	p.start()
	p.completed(p.order("mail", 5*time.Second), time.Minute)
	require.Eventually(t, func() bool { return p.mailsAt(p.url) >= 2 }, 20*time.Second, 100*time.Millisecond)
	out, err := p.popup("mail", "list")
	require.NoError(t, err, out)
	require.Equal(t, 1, strings.Count(out, "\n"), "all were sent: %s", out)
	before := p.mailsAt(p.url)

	require.EqualValues(t, 1, p.update(`UPDATE mail.mails SET status = 'unknown' WHERE kind = 'order_shipped'`))
	require.EqualValues(t, 1, p.update(`UPDATE mail.mails SET status = 'limited' WHERE kind = 'payment_paid'`))
	out, err = p.popup("mail", "list", "--json")
	require.NoError(t, err, out)
	var mails []struct{ ID, Status string }
	require.NoError(t, json.Unmarshal([]byte(out), &mails), out)
	var ids []string
	for _, m := range mails {
		require.Contains(t, []string{"unknown", "limited"}, m.Status)
		ids = append(ids, m.ID)
	}
	require.Len(t, ids, 2)
	out, err = p.popup("mail", "send", ids[0], ids[1])
	require.NoError(t, err, out)
	require.Eventually(t, func() bool { return p.mailsAt(p.url) == before+2 }, 90*time.Second, 200*time.Millisecond)
	require.Eventually(t, func() bool {
		out, err := p.popup("mail", "list")
		return err == nil && strings.Count(out, "\n") == 1
	}, 10*time.Second, 200*time.Millisecond)
	out, err = p.popup("mail", "send", ids[0])
	require.Error(t, err, "it was sent")
	require.Contains(t, out, "it was sent or is being sent")
	out, err = p.popup("check")
	require.NoError(t, err, out)
}
