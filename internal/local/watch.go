package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/popup-shop/popup/internal/jetstream"
)

const (
	watchEvery   = time.Second
	failingFor   = 5 * time.Second // after which the broker is opened again
	probeTimeout = 3 * time.Second
	secondTry    = time.Minute // a broker that fails again within it gets a folder elsewhere
)

var errFolderGone = errors.New("the broker's folder is gone")

// Ready returns an error while the broker does not store events: it stores one and reads it back.
func (e *Engine) Ready(ctx context.Context) error {
	b := e.broker.Load()
	if b == nil {
		return errNoBroker
	}
	if err := b.Ready(ctx); err != nil {
		return err
	}
	if err := e.files.exists(e.Dir); err != nil {
		return err
	}
	return b.Probe(ctx)
}

// brokerFolder is where the broker stores its files, and whether it can.
type brokerFolder struct {
	elsewhere atomic.Pointer[string] // in place of the usual folder, since that could not be written
	failing   atomic.Int64           // since when events can't be published, in nanoseconds; 0: they can
}

// path returns the folder: usual, or another one since that could not be written.
func (f *brokerFolder) path(usual string) string {
	if elsewhere := f.elsewhere.Load(); elsewhere != nil {
		return *elsewhere
	}
	return usual
}

// exists returns an error if the folder has been deleted. A server whose files are gone goes on without an error.
func (f *brokerFolder) exists(usual string) error {
	if _, err := os.Stat(filepath.Join(f.path(usual), "jetstream")); err != nil {
		return fmt.Errorf("%w: %w", errFolderGone, err)
	}
	return nil
}

// move has the broker store its files in a new folder.
func (f *brokerFolder) move() error {
	dir, err := os.MkdirTemp("", "popup-broker-")
	if err == nil {
		f.elsewhere.Store(&dir)
	}
	return err
}

// note notes since when events can't be published.
func (f *brokerFolder) note(errs []error) {
	if errors.Join(errs...) == nil {
		f.failing.Store(0)
	} else {
		f.failing.CompareAndSwap(0, time.Now().UnixNano())
	}
}

// fails reports whether events can't be published for some time.
func (f *brokerFolder) fails() bool {
	since := f.failing.Load()
	return since != 0 && time.Since(time.Unix(0, since)) >= failingFor
}

// watcher looks after the broker of an engine.
type watcher struct{ *Engine }

// run opens the broker again when its folder is deleted, damaged or full. What it has lost is published again from the event store.
func (w watcher) run(ctx context.Context) {
	var reopened time.Time
	for ctx.Err() == nil {
		pause(ctx, watchEvery)
		if w.broker.Load() == nil || ctx.Err() != nil { // it is stopped
			continue
		}
		if w.files.exists(w.Dir) == nil && !w.files.fails() {
			continue
		}
		err := w.probe(ctx)
		w.files.failing.Store(0)
		if err != nil {
			w.reopen(ctx, err, time.Since(reopened) < secondTry)
			reopened = time.Now()
		}
	}
}

func (w watcher) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return w.Ready(ctx)
}

// reopen starts the broker empty, in the same folder or in one elsewhere.
func (w watcher) reopen(ctx context.Context, cause error, elsewhere bool) {
	folder := w.files.path(w.Dir)
	w.Log.Warn("the broker does not store events and is opened again", "folder", folder, "error", cause)
	w.StopBroker()
	_ = os.RemoveAll(folder) // what can't be deleted is moved aside when the broker is opened
	for ctx.Err() == nil {
		var err error
		if elsewhere {
			err = w.files.move()
		}
		if err == nil {
			err = w.StartBroker(ctx)
		}
		if err == nil {
			return
		}
		w.Log.Error("the broker cannot be opened", "folder", w.files.path(w.Dir), "error", err)
		elsewhere = true
		pause(ctx, watchEvery)
	}
}

// open opens the broker on its folder, or on an empty one if that does not work.
func (w watcher) open(ctx context.Context) (*broker, error) {
	b, err := w.openFolder(ctx)
	if err == nil || ctx.Err() != nil {
		return b, err
	}
	if err := w.moveAside(err); err != nil {
		return nil, err
	}
	return w.openFolder(ctx)
}

func (w watcher) openFolder(ctx context.Context) (*broker, error) {
	b, err := openBroker(ctx, w.files.path(w.Dir), jetstream.Stream{Name: stream, FromNow: w.Profile == jetstream.NATSS})
	if err != nil {
		return nil, err
	}
	for _, t := range w.Triggers {
		if err := b.Add(ctx, t); err != nil {
			b.server.Close()
			return nil, err
		}
	}
	return b, nil
}

// moveAside renames the folder of a broker that does not open: its files are damaged, or were written with other settings.
func (w watcher) moveAside(cause error) error {
	folder := w.files.path(w.Dir)
	aside := folder + ".aside"
	w.Log.Warn("the broker's files can't be opened and are moved aside; events are published again", "folder", folder, "to", aside, "error", cause)
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	return os.Rename(folder, aside)
}
