package postgres

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// errNotInstalled names the packages to install.
var errNotInstalled = errors.New("find postgres: no initdb and postgres in $PG_BIN, on PATH or in " +
	"/usr/lib/postgresql; install them (Debian, Ubuntu: apt-get install postgresql postgresql-contrib; " +
	"macOS: brew install postgresql) or set DATABASE_URL")

// installRoot is where Debian keeps a folder for each major version.
const installRoot = "/usr/lib/postgresql"

// binaries are the two programs a cluster needs, from one folder.
type binaries struct{ initdb, postgres string }

// findBinaries looks in $PG_BIN, on PATH and among the versions Debian installs, the newest first.
func findBinaries() (binaries, error) { return findBinariesBelow(installRoot) }

func findBinariesBelow(root string) (binaries, error) {
	if dir := os.Getenv("PG_BIN"); dir != "" {
		if b, ok := binariesIn(dir); ok {
			return b, nil
		}
	}
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), versions(root)...) {
		if b, ok := binariesIn(dir); ok {
			return b, nil
		}
	}
	return binaries{}, errNotInstalled
}

// binariesIn resolves links, as Postgres finds its libraries beside its program.
func binariesIn(dir string) (binaries, bool) {
	var found [2]string
	for i, name := range []string{"initdb", "postgres"} {
		path, err := exec.LookPath(filepath.Join(dir, name))
		if err != nil {
			return binaries{}, false
		}
		if found[i], err = filepath.EvalSymlinks(path); err != nil {
			return binaries{}, false
		}
	}
	return binaries{initdb: found[0], postgres: found[1]}, true
}

// versions returns the bin folders below root, the newest version first.
func versions(root string) []string {
	dirs, _ := filepath.Glob(filepath.Join(root, "*", "bin")) // only a bad pattern is an error
	slices.SortFunc(dirs, func(a, b string) int { return major(b) - major(a) })
	return dirs
}

func major(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin))) // a folder that is no number comes last
	return n
}
