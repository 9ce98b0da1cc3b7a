package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// person types popup user …, with a folder for settings of their own.
type person struct {
	t    *testing.T
	p    *program
	home string
}

func (p *program) person(t *testing.T) person { return person{t, p, t.TempDir()} }

func (a person) types(password string, args ...string) (out string, err error) {
	a.t.Helper()
	cmd := exec.Command(filepath.Join(a.p.bin, "popup"), append([]string{"user"}, args...)...)
	cmd.Env = append(os.Environ(), "POPUP_DIR="+a.p.dir, "XDG_CONFIG_HOME="+a.home)
	cmd.Stdin = strings.NewReader(password + "\n")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String() + stderr.String(), err
}

func (a person) must(password string, args ...string) string {
	a.t.Helper()
	out, err := a.types(password, args...)
	require.NoError(a.t, err, out)
	return out
}

func (a person) refused(why, password string, args ...string) {
	a.t.Helper()
	out, err := a.types(password, args...)
	require.Error(a.t, err, out)
	require.Contains(a.t, out, why)
}

var shownAdmin = regexp.MustCompile(`admin +admin@popup\.example, password ([A-Z2-7]{26}) \(shown this once\)`)

func TestTheFirstAdminsPasswordIsShownOnceAndManagesAccounts(t *testing.T) {
	p := newProgram(t)
	p.start()
	found := shownAdmin.FindStringSubmatch(p.log.String())
	require.NotNil(t, found, "%s", &p.log)
	admin, ada := p.person(t), p.person(t)
	admin.must(found[1], "login", "admin@popup.example")
	require.Contains(t, admin.must("", "me"), "role        admin")

	ada.refused("not signed in", "", "me")
	ada.refused("password is a common password", "password1", "signup", "ada@example.test", "--name=Ada",
		"--phone=+49 40 1234567")
	ada.must("correct horse battery", "signup", "ada@example.test", "--name=Ada", "--phone=+49 40 1234567")
	kept, err := filepath.Glob(filepath.Join(ada.home, "popup", "session-*.json"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	info, err := os.Stat(kept[0])
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	ada.refused("You do not have permission to do this.", "", "list")

	admin.must("", "role", "Ada@example.test", "staff")
	ada.refused("This request needs a valid token", "", "me")
	ada.refused("The e-mail address or the password is wrong", "another one", "login", "ada@example.test")
	ada.must("correct horse battery", "login", "ada@example.test")
	require.Contains(t, ada.must("", "list", "admin@", "--json"), `"role": "admin"`)
	ada.must("correct horse battery\nthe next secret", "password")
	require.Contains(t, ada.must("", "sessions"), "* ")
	require.Regexp(t, `^eyJ\S+\n$`, ada.must("", "token"))
	ada.must("", "logout", "--everywhere")
	ada.refused("not signed in", "", "me")
	ada.must("the next secret", "login", "ada@example.test")

	p.stop()
	p.log.Reset()
	p.start()
	require.NotRegexp(t, shownAdmin, p.log.String())
	require.NotContains(t, p.log.String(), found[1])
	require.Contains(t, admin.must("", "me"), "role        admin", "the key of tokens is kept, and so is the session")
	ada.refused("not signed in", "", "me", "--shop=http://127.0.0.1:1")
	ada.refused("reach the shop", "correct horse battery", "login", "ada@example.test", "--shop=http://127.0.0.1:1")
}
