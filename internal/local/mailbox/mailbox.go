// Package mailbox is a mail server that delivers nothing: it keeps every mail on disk and shows it on a page.
//
// It does not know who sends mails or why.
package mailbox

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"
)

const (
	maxIndex      = 10_000  // mails the page and its filters know
	maxBytes      = 1 << 20 // of one mail
	maxRecipients = 50      // of one mail
	idle          = 5 * time.Minute
)

// Store keeps mails in a file, the newest 10,000 of them in an index. Older mails stay in the file.
type Store struct {
	dir    string
	file   *file
	server *smtp.Server
	refuse atomic.Pointer[func() error]
	relay  atomic.Pointer[Relay]

	mu        sync.RWMutex
	index     []summary // oldest first
	listeners []net.Listener
	closed    bool
}

// Open returns the box of a folder, made when missing, with the mails of earlier runs.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open mailbox %s: %w", dir, err)
	}
	b := &Store{dir: dir}
	if err := b.load(); err != nil {
		return nil, fmt.Errorf("open mailbox %s: %w", dir, err)
	}
	b.server = smtp.NewServer(smtp.BackendFunc(b.session))
	b.server.Domain = "localhost"
	b.server.MaxMessageBytes = maxBytes
	b.server.MaxRecipients = maxRecipients
	b.server.ReadTimeout = idle
	b.server.WriteTimeout = idle
	b.server.EnableSMTPUTF8 = true
	b.server.ErrorLog = discardLogger{}
	return b, nil
}

// Serve accepts mails on l until Close, and returns nil then. A closed box closes l and returns at once.
func (b *Store) Serve(l net.Listener) error {
	b.mu.Lock()
	b.listeners = append(b.listeners, l)
	closed := b.closed
	b.mu.Unlock()
	if closed {
		return l.Close()
	}
	if err := b.server.Serve(l); err != nil {
		return fmt.Errorf("serve mailbox %s: %w", b.dir, err)
	}
	return nil
}

// Close stops Serve and cuts its connections. Mails that were answered for are on disk. Closing again does nothing.
func (b *Store) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	err := b.server.Close()
	for _, l := range b.listeners { // the server does not know one whose Serve has only begun
		if again := l.Close(); !errors.Is(again, net.ErrClosed) {
			err = errors.Join(err, again)
		}
	}
	if err = errors.Join(err, b.file.f.Close()); err != nil {
		return fmt.Errorf("close mailbox %s: %w", b.dir, err)
	}
	return nil
}

// RejectWith has every mail answered with 451 for which f returns an error, as a broken mail server would; nil ends it.
func (b *Store) RejectWith(f func() error) {
	if f == nil {
		b.refuse.Store(nil)
		return
	}
	b.refuse.Store(&f)
}

// store writes a mail to disk and then to the index. What is in the index is on disk.
func (b *Store) store(raw []byte) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("name mail: %w", err)
	}
	s := summarise(id, raw)
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.place, err = b.file.add(id, raw); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	b.add(s)
	return nil
}

// add puts a mail where its id belongs, which is the end but for mails that come at the same time.
func (b *Store) add(s summary) {
	at, _ := slices.BinarySearchFunc(b.index, s, byID)
	b.index = slices.Insert(b.index, at, s)
	if len(b.index) > maxIndex+maxIndex/10 {
		b.index = slices.Clone(b.index[len(b.index)-maxIndex:])
	}
}

// newest returns up to limit mails that match, the newest first.
func (b *Store) newest(match func(summary) bool, limit int) []summary {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := []summary{}
	for _, s := range slices.Backward(b.index[max(0, len(b.index)-maxIndex):]) {
		if len(found) == limit {
			break
		}
		if match(s) {
			found = append(found, s)
		}
	}
	return found
}

// read returns a mail from disk. One that the index does not know is fs.ErrNotExist.
func (b *Store) read(id string) (Mail, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	at, found := slices.BinarySearchFunc(b.index, summary{ID: id}, byID)
	if !found {
		return Mail{}, fmt.Errorf("read mail: %w", fs.ErrNotExist)
	}
	raw, err := b.file.read(b.index[at].place)
	if err != nil {
		return Mail{}, fmt.Errorf("read mail %s: %w", id, err)
	}
	return parse(uuid.MustParse(id), raw), nil
}

// load reads the index of the folder's mails.
func (b *Store) load() (err error) {
	b.file, err = openFile(b.dir, func(id uuid.UUID, at place, raw []byte) {
		s := summarise(id, raw)
		s.place = at
		b.add(s)
	})
	return err
}

// discardLogger drops the library's messages about broken connections.
type discardLogger struct{}

func (discardLogger) Printf(string, ...any) {}
func (discardLogger) Println(...any)        {}
