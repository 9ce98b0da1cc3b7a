package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
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
	if err := e.folderExists(); err != nil {
		return err
	}
	return b.Probe(ctx)
}

// folderExists returns an error if the folder of the broker has been deleted. A server whose files are gone goes on without an error.
func (e *Engine) folderExists() error {
	if _, err := os.Stat(filepath.Join(e.folder(), "jetstream")); err != nil {
		return fmt.Errorf("%w: %w", errFolderGone, err)
	}
	return nil
}

// folder returns the folder of the broker: Dir, or another one since that could not be written.
func (e *Engine) folder() string {
	if elsewhere := e.elsewhere.Load(); elsewhere != nil {
		return *elsewhere
	}
	return e.Dir
}

// noteResults notes since when events can't be published.
func (e *Engine) noteResults(errs []error) {
	if errors.Join(errs...) == nil {
		e.failing.Store(0)
	} else {
		e.failing.CompareAndSwap(0, time.Now().UnixNano())
	}
}

// watch opens the broker again when its folder is deleted, damaged or full. What it has lost is published again from the event store.
func (e *Engine) watch(ctx context.Context) {
	var reopened time.Time
	for ctx.Err() == nil {
		pause(ctx, watchEvery)
		b := e.broker.Load()
		if b == nil || ctx.Err() != nil { // it is stopped
			continue
		}
		err := e.folderExists()
		since := e.failing.Load()
		if err == nil && (since == 0 || time.Since(time.Unix(0, since)) < failingFor) {
			continue
		}
		if err == nil {
			err = e.probe(ctx)
		}
		if err == nil {
			e.failing.Store(0)
			continue
		}
		e.reopen(ctx, err, time.Since(reopened) < secondTry)
		reopened = time.Now()
	}
}

func (e *Engine) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return e.Ready(ctx)
}

// reopen starts the broker empty, in the same folder or in one elsewhere.
func (e *Engine) reopen(ctx context.Context, cause error, elsewhere bool) {
	e.Log.Warn("the broker does not store events and is opened again", "folder", e.folder(), "error", cause)
	e.StopBroker()
	err := os.RemoveAll(e.folder())
	if elsewhere {
		dir, failed := os.MkdirTemp("", "popup-broker-")
		if err = failed; err == nil {
			e.elsewhere.Store(&dir)
		}
	}
	if err == nil {
		err = e.StartBroker(ctx)
	}
	e.failing.Store(0)
	if err != nil && ctx.Err() == nil {
		e.Log.Error("the broker cannot be opened", "folder", e.folder(), "error", err)
		e.retryStart(ctx)
	}
}

// retryStart starts the broker in a folder elsewhere, until it works.
func (e *Engine) retryStart(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, watchEvery)
		dir, err := os.MkdirTemp("", "popup-broker-")
		if err != nil {
			continue
		}
		e.elsewhere.Store(&dir)
		if e.StartBroker(ctx) == nil {
			return
		}
	}
}

// moveAside renames the folder of a broker that does not open: its files are damaged, or were written with other settings.
func (e *Engine) moveAside(cause error) error {
	aside := e.folder() + ".aside"
	e.Log.Warn("the broker's files can't be opened and are moved aside; events are published again", "folder", e.folder(), "to", aside, "error", cause)
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	return os.Rename(e.folder(), aside)
}
