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

// popup types popup …, as this person, and returns what is shown with single spaces.
func (a person) popup(args ...string) (string, error) {
	a.t.Helper()
	cmd := exec.Command(filepath.Join(a.p.bin, "popup"), args...)
	cmd.Env = append(os.Environ(), "POPUP_DIR="+a.p.dir, "XDG_CONFIG_HOME="+a.home)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return strings.Join(strings.Fields(out.String()), " "), err
}

func TestStockIsKeptFromTheTerminal(t *testing.T) {
	p := newProgram(t)
	p.start()
	found := shownAdmin.FindStringSubmatch(p.log.String())
	require.NotNil(t, found, "%s", &p.log)
	admin := p.person(t)
	admin.must(found[1], "login", "admin@popup.example")
	shows := func(want string, args ...string) string {
		t.Helper()
		out, err := admin.popup(args...)
		require.NoError(t, err, out)
		require.Regexp(t, want, out)
		return out
	}
	refused := func(want string, args ...string) {
		t.Helper()
		out, err := admin.popup(args...)
		require.Error(t, err)
		require.Contains(t, out, want)
	}
	shows(`priority 5 name Barge location Elbe goods 0 holds 0$`, "warehouse", "add", "Barge", "--location=Elbe", "--priority=5")
	shows(`PRIORITY NAME LOCATION GOODS HOLDS \S+ 5 Barge Elbe`, "warehouse", "list")
	shows(`priority 5 name Barge location Havel goods 0 holds 0$`, "warehouse", "change", "barge", "--location=Havel")
	shows(`quantity 7 reserved 0 available 7 total_available 127$`, "stock", "receive", "CAP-NAVY", "7", "--new", "--warehouse=Barge")
	shows(`quantity 9 reserved 0 available 9 total_available 129$`, "stock", "receive", "CAP-NAVY", "2", "--warehouse=Barge")
	refused("CAP-NAVY is in 2 warehouses", "stock", "set", "CAP-NAVY", "3")
	shows(`quantity 4 reserved 0 available 4 total_available 124$`, "stock", "set", "CAP-NAVY", "4", "--warehouse=Barge", "--reason=torn")
	shows(`adjustment -5 staff torn`, "stock", "log", "CAP-NAVY", "--warehouse=Barge", "--kind=adjustment")
	shows(` 1 0 1 121 .* 123 0 123 124$`, "stock", "move", "CAP-NAVY", "3", "--from=Barge", "--to=Harbour")

	held := regexp.MustCompile(`^\S+`).FindString(shows(` until `, "stock", "hold", "CAP-NAVY=2", "TEE-DROP-01=1"))
	refused("CAP-NAVY: 1000 requested, 122 available", "stock", "hold", "CAP-NAVY=1000")
	shows(`^released$`, "stock", "release", held)
	refused("goods", "warehouse", "delete", "Barge")
	shows(`quantity 0 reserved 0 available 0 total_available 123$`, "stock", "take", "CAP-NAVY", "1", "--warehouse=Barge", "--reason=sold at the door")
	shows(`^Barge is deleted$`, "warehouse", "delete", "Barge")
	refused(`warehouse "Barge" does not exist`, "warehouse", "delete", "Barge")
}
