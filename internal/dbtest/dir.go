package dbtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// prefix begins the names of our temporary folders.
const prefix = "popup-dbtest-"

// makeDir makes a folder that the user Postgres drops to may enter.
func makeDir() (string, error) {
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return "", fmt.Errorf("make folder of test database: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return "", fmt.Errorf("open folder of test database: %w", err)
	}
	return dir, nil
}

// remover waits for the end of its input, which is the end of our process, then for Postgres, and removes the folder.
const remover = `read -r _
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	[ -e "$1/data/postmaster.pid" ] || break
	sleep 0.2
done
rm -rf "$1"`

// removeAfterUs has the folder removed once this process has ended, however it ends: a test binary without a
// TestMain has no place to do so itself.
func removeAfterUs(dir string) error {
	cmd := exec.Command("sh", "-c", remover, "sh", dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's interrupt is not for it
	input, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("watch over %s: %w", dir, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("watch over %s: %w", dir, err)
	}
	alive = append(alive, input)
	return nil
}

// alive is the input of the removers, open until this process ends. The garbage collector must not close it.
var alive []io.Closer

// sweep removes folders whose process is dead and whose remover is, too. It is a courtesy: what fails stays.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err == nil && time.Since(info.ModTime()) > time.Minute && abandoned(dir) {
			_ = os.RemoveAll(dir)
		}
	}
}

// abandoned reports whether no process holds the lock of a cluster.
func abandoned(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		return os.IsNotExist(err)
	}
	defer f.Close()
	return flock(f) == nil
}

func flock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
