package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// stateRoot holds the clusters root makes for folders that the user it drops to cannot reach.
const stateRoot = "/var/lib/popup"

// maxSocketFolder leaves room for "/.s.PGSQL.5432.lock" in the 107 bytes of a socket's address.
const maxSocketFolder = 107 - len("/.s.PGSQL.5432.lock")

// home is the folder of a cluster. It is held by a lock that the kernel releases when the process ends, however it ends. A
// Postgres that still runs on the folder when the lock is acquired was left over.
type home struct {
	dir    string // as given, absolute
	data   string // the data, in dir or below stateRoot
	away   bool   // below stateRoot
	socket string // a short folder of its own, beside the data where it can be
	owner  *owner // whom root drops to; nil when we stay who we are
	lock   *os.File
}

// openHome makes and locks the folder.
func openHome(dir string) (*home, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open cluster %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open cluster %s: %w", dir, err)
	}
	h := &home{dir: dir}
	if h.owner, err = newOwner(); err != nil {
		return nil, err
	}
	if err := h.locate(); err != nil {
		return nil, fmt.Errorf("open cluster %s: %w", dir, err)
	}
	if h.lock, err = lockFile(filepath.Join(dir, "lock")); err != nil {
		return nil, fmt.Errorf("open cluster %s: %w", dir, err)
	}
	return h, nil
}

// locate decides where the data and the socket are.
func (h *home) locate() error {
	real, err := filepath.EvalSymlinks(h.dir)
	if err != nil {
		return err
	}
	h.data = filepath.Join(real, "data")
	sum := sha256.Sum256([]byte(h.data))
	id := hex.EncodeToString(sum[:6])
	if h.owner != nil && !h.owner.reaches(real) {
		h.data, h.away = filepath.Join(stateRoot, id, "data"), true
	}
	h.socket = h.socketFolder(real, "popup-pg-"+id)
	return nil
}

// socketFolder returns a folder short enough for a socket's address: beside the data, else for temporary files.
func (h *home) socketFolder(dir, name string) string {
	for _, path := range []string{filepath.Join(dir, "socket"), filepath.Join(os.TempDir(), name)} {
		if len(path) <= maxSocketFolder && (h.owner == nil || h.owner.reaches(filepath.Dir(path))) {
			return path
		}
	}
	return filepath.Join("/tmp", name)
}

// dying is how long a killed process may take to give its lock back.
const dying = time.Second

// lockFile locks a file for this process. It waits for one that is being killed, but for no other.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(dying); ; time.Sleep(10 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if time.Now().After(until) {
			return nil, errors.Join(errors.New("another process is using it"), f.Close())
		}
	}
}

// linked reports whether data elsewhere belong to the folder as it is. A folder that was removed has lost its data.
func (h *home) linked() bool {
	if !h.away {
		return true
	}
	target, err := os.Readlink(filepath.Join(h.dir, "data"))
	return err == nil && target == h.data
}

// link shows where data elsewhere are.
func (h *home) link() error {
	if h.linked() {
		return nil
	}
	name := filepath.Join(h.dir, "data")
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Symlink(h.data, name)
}

// initialise makes the data folder whole or not at all.
func (h *home) initialise(ctx context.Context, bin binaries, durable bool) error {
	made := h.data + ".new"
	if err := errors.Join(os.RemoveAll(made), h.openWay(), h.owner.mkdir(made)); err != nil {
		return fmt.Errorf("make cluster %s: %w", h.data, err)
	}
	args := []string{
		"--pgdata=" + made, "--username=" + Superuser, "--auth-local=trust", "--auth-host=reject",
		"--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums",
	}
	if !durable {
		args = append(args, "--no-sync")
	}
	cmd := command(ctx, h.owner, bin.initdb, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make cluster %s: %w: %s", h.data, err, out)
	}
	if err := os.Rename(made, h.data); err != nil {
		return fmt.Errorf("make cluster %s: %w", h.data, err)
	}
	return nil
}

// openWay makes the folders above data elsewhere, which the owner passes through whatever root's umask is.
func (h *home) openWay() error {
	if !h.away {
		return nil
	}
	above := filepath.Dir(h.data)
	return errors.Join(os.MkdirAll(above, 0o755), os.Chmod(stateRoot, 0o755), os.Chmod(above, 0o755))
}

// makeSocketFolder makes an empty folder only the owner may enter. Its name is that of the data folder, so that
// a killed process leaves one folder behind and not one for each run.
func (h *home) makeSocketFolder() error {
	if err := errors.Join(os.RemoveAll(h.socket), h.owner.mkdir(h.socket)); err != nil {
		return fmt.Errorf("make socket folder: %w", err)
	}
	return nil
}

// closed reports whether the folder was released.
func (h *home) closed() bool { return h.lock == nil }

// close removes the socket's folder and lets others use the cluster's.
func (h *home) close() error {
	if h.closed() {
		return nil
	}
	err := errors.Join(os.RemoveAll(h.socket), h.lock.Close())
	h.lock = nil
	return err
}
