package mailbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// file keeps all mails, one behind the other: a file each would cost more than the mail. Each is a line with its id and its
// length, and then the mail.
type file struct {
	f   *os.File
	end int64
}

// place is where a mail lies in the file.
type place struct{ at, length int64 }

const (
	fileName  = "mails"
	entryForm = "%s %d\n"
)

// openFile opens the file of a folder and shows each mail in it. A mail that was not written whole is cut off: it was
// never answered for.
func openFile(dir string, show func(uuid.UUID, place, []byte)) (*file, error) {
	f, err := os.OpenFile(filepath.Join(dir, fileName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	kept := &file{f: f}
	r := bufio.NewReader(f)
	for {
		var text string
		var length int64
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		if _, err := fmt.Sscanf(line, entryForm, &text, &length); err != nil || length < 0 || length > 2*maxBytes {
			break
		}
		id, err := uuid.Parse(text)
		if err != nil {
			break
		}
		raw := make([]byte, length)
		if _, err := io.ReadFull(r, raw); err != nil {
			break
		}
		at := kept.end + int64(len(line))
		kept.end = at + length
		show(id, place{at, length}, raw)
	}
	return kept, f.Truncate(kept.end)
}

// add writes a mail at the end.
func (k *file) add(id uuid.UUID, raw []byte) (place, error) {
	if k.f == nil {
		return place{}, os.ErrClosed
	}
	head := fmt.Sprintf(entryForm, id, len(raw))
	if _, err := k.f.WriteAt(append([]byte(head), raw...), k.end); err != nil {
		return place{}, errors.Join(err, k.f.Truncate(k.end))
	}
	at := place{k.end + int64(len(head)), int64(len(raw))}
	k.end = at.at + at.length
	return at, nil
}

func (k *file) read(p place) ([]byte, error) {
	raw := make([]byte, p.length)
	_, err := k.f.ReadAt(raw, p.at)
	return raw, err
}
