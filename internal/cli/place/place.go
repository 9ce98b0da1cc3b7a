// Package place is the folder in which a shop on this machine keeps what it has, and from which commands find the shop.
package place

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Folder is where a shop on this machine keeps what it has.
type Folder struct {
	Dir string `default:"${dir}" env:"POPUP_DIR" help:"Folder with the shop's data." type:"path"`
}

// running is what the file about a running shop holds.
type running struct {
	URL string `json:"url"`
}

func (f Folder) file() string { return filepath.Join(f.Dir, "running.json") }

// Announce writes the address of the shop into the folder, where Running finds it until end is called or this process ends.
func (f Folder) Announce(url string) (end func(), err error) {
	file, err := os.OpenFile(f.file(), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("announce the shop: %w", err)
	}
	if err := write(file, running{url}); err != nil {
		return nil, errors.Join(fmt.Errorf("announce the shop: %w", err), file.Close())
	}
	return func() {
		_ = os.Remove(f.file())
		_ = file.Close()
	}, nil
}

// write replaces what is in a file, and locks it for as long as it is open. The system unlocks the file of a process that ends, in
// whatever way: so a file that is left over can be told from that of a running shop.
func write(file *os.File, content running) error {
	if err := lock(file); err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	return json.NewEncoder(file).Encode(content)
}

// lock locks a file. It waits for a process that looks into the file, but not for a shop.
func lock(file *os.File) (err error) {
	for range 20 {
		if err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("another shop runs in this folder: %w", err)
}

// Running returns the address of the shop that runs in the folder, and "" if none does. The file that a killed shop left is no
// running shop.
func (f Folder) Running() (url string, err error) {
	file, err := os.Open(f.file())
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find the shop in %s: %w", f.Dir, err)
	}
	defer file.Close()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return "", err
	}
	var found running
	if err := json.NewDecoder(file).Decode(&found); err != nil {
		return "", fmt.Errorf("find the shop in %s: %w", f.Dir, err)
	}
	return found.URL, nil
}
