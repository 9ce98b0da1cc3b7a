package main_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// ACC-38, N2: who owns the database gets in again.
func TestOwnerResetsALostPassword_ACC_38(t *testing.T) {
	p := newProgram(t)
	p.env = []string{"ADMIN_PASSWORD=the very first one"}
	p.start()
	require.NotContains(t, p.log.String(), "ADMIN_PASSWORD is ignored")
	admin, lost := p.person(t), p.person(t)
	admin.must("the very first one", "login", "admin@popup.example")

	out := lost.must("", "reset", "Admin@popup.example")
	found := regexp.MustCompile(`has the password (\S+) \(shown this once\); 1 sessions are ended`).FindStringSubmatch(out)
	require.NotNil(t, found, out)
	admin.refused("This request needs a valid token", "", "me")
	admin.refused("The e-mail address or the password is wrong", "the very first one", "login", "admin@popup.example")
	admin.must(found[1], "login", "admin@popup.example")
	lost.must("a secret of my own", "reset", "admin@popup.example", "--ask")
	admin.must("a secret of my own", "login", "admin@popup.example")
	lost.refused("there is no open account", "", "reset", "nobody@popup.example")
	lost.refused("the password is a common password", "password1", "reset", "admin@popup.example", "--ask")
	require.EqualValues(t, 2, p.update(`SELECT FROM bus.event WHERE type = 'session.revoked' AND source = '/functions/popup'`))

	p.stop()
	p.log.Reset()
	p.start()
	require.Contains(t, p.log.String(), "ADMIN_PASSWORD is ignored, because the shop has an administrator; popup user reset admin@popup.example sets a new password")
	p.stop()
	p.log.Reset()
	p.env = []string{"ADMIN_PASSWORD=a secret of my own"}
	p.start()
	require.NotContains(t, p.log.String(), "ADMIN_PASSWORD", "it is the account's")
	out, err := p.popup("check", "bus")
	require.NoError(t, err, out)
}
