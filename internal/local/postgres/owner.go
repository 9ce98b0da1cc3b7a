package postgres

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// owner is the user a cluster runs as when root starts it, for Postgres refuses to be root. A nil owner is the
// user of this process.
type owner struct{ uid, gid uint32 }

// newOwner returns nil unless this process is root.
func newOwner() (*owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		return &owner{uid: uint32(uid), gid: uint32(gid)}, errors.Join(uidErr, gidErr)
	}
	return nil, errors.New("choose a user for postgres: it cannot run as root and there is neither postgres nor nobody")
}

// mkdir makes a folder, and those above it, that only the owner may enter.
func (o *owner) mkdir(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil || o == nil {
		return err
	}
	return os.Chown(path, int(o.uid), int(o.gid))
}

// reaches reports whether the owner may pass through a folder and all those above it.
func (o *owner) reaches(path string) bool {
	for {
		info, err := os.Stat(path)
		if err != nil || !o.passes(info) {
			return false
		}
		parent := filepath.Dir(path)
		if parent == path {
			return true
		}
		path = parent
	}
}

// passes reports whether the permissions of one folder let the owner through.
func (o *owner) passes(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return false
	case st.Uid == o.uid:
		return info.Mode()&0o100 != 0
	case st.Gid == o.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}
