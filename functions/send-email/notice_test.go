package sendemail_test

import (
	"regexp"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/shoptest"
)

func TestRevokedSessionIsMailedOnce(t *testing.T) {
	t.Parallel()
	p := open(t)
	ada, haru := p.SignIn(t, "customer"), p.SignIn(t, "customer")
	p.Exec(t, `UPDATE accounts.users SET locale = 'ja' WHERE user_id = $1`, haru.ID)
	for range 2 {
		require.Empty(t, p.Send(t, name, events.SessionRevoked{CustomerID: ada.ID, SessionID: ada.Session, Reason: "reuse"}),
			"a mail that is not about an order emits nothing")
	}
	p.Send(t, name, events.SessionRevoked{CustomerID: haru.ID, SessionID: haru.Session, Reason: "password"})
	mails := p.mails(t)
	require.Len(t, mails, 2)
	require.Equal(t, []string{ada.Email}, mails[0].To)
	require.Equal(t, "You were signed out", mails[0].Subject)
	require.Contains(t, mails[0].Text, "was used a second time")
	require.Contains(t, mails[0].HTML, "https://shop.test/account")
	require.NotContains(t, mails[0].Text, "Total")
	require.Equal(t, "サインアウトされました", mails[1].Subject)
	require.Equal(t, []string{"session_revoked reuse sent", "session_revoked password sent"}, states(t, p.Shop))
}

func TestClosedAccountGetsNoMail(t *testing.T) {
	t.Parallel()
	p := open(t)
	ada := p.SignIn(t, "customer")
	p.Exec(t, `UPDATE accounts.users SET email = '', name = '', phone = '', active = false, closed_at = now() WHERE user_id = $1`, ada.ID)
	for _, customer := range []string{ada.ID, uuid.NewString()} {
		require.Empty(t, p.Send(t, name, events.SessionRevoked{CustomerID: customer, SessionID: ada.Session, Reason: "disabled"}))
	}
	require.Empty(t, p.mails(t))
	require.Empty(t, states(t, p.Shop))
}

// ACC-37: the link is in the mail alone, and its hash in the database.
func TestForgottenPasswordIsMailed(t *testing.T) {
	t.Parallel()
	p := open(t)
	ada := p.SignIn(t, "customer")
	request := func(user any) events.PasswordForgotten {
		id := uuid.NewString()
		p.Exec(t, `INSERT INTO accounts.resets (reset_id, user_id) VALUES ($1, $2)`, id, user)
		return events.PasswordForgotten{ResetID: id}
	}
	m := p.Store(t, request(ada.ID))
	p.Deliver(t, name, m)
	p.Deliver(t, name, m)
	require.Empty(t, p.Send(t, name, request(nil)), "of nobody")
	mails := p.mails(t)
	require.Len(t, mails, 1)
	require.Equal(t, []string{ada.Email}, mails[0].To)
	require.Equal(t, "Set a new password", mails[0].Subject)
	link := regexp.MustCompile(`https://shop\.test/reset/(\w+)`).FindStringSubmatch(mails[0].HTML)
	require.Len(t, link, 2, mails[0].HTML)
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, p.Shop, `SELECT count(*) FROM accounts.resets WHERE token_hash = sha256($1::bytea)`, []byte(link[1])))
	require.Equal(t, []string{"password_reset sent"}, states(t, p.Shop))
	require.NotContains(t, p.Log(), link[1])
}
