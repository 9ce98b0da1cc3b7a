package postgres

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long a left-over cluster may take for each way of ending it.
const patience = 10 * time.Second

// stopLeftOver ends a Postgres that an earlier process left running on the data: in order if it can, at once if not.
func (h *home) stopLeftOver(ctx context.Context) error {
	file := filepath.Join(h.data, "postmaster.pid")
	pid, err := readPid(file)
	if err != nil {
		return nil // none, or one that Postgres itself will complain about
	}
	if !runsOn(pid, h.data) {
		return forget(file)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		_ = syscall.Kill(pid, sig) // what counts is whether it goes
		if ended(ctx, pid, h.data) {
			return nil
		}
	}
	return fmt.Errorf("stop left-over postgres %d in %s: it does not end", pid, h.data)
}

// ended waits for a process to leave the data folder.
func ended(ctx context.Context, pid int, data string) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for runsOn(pid, data) {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// readPid returns the first line of postmaster.pid.
func readPid(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(strings.TrimSpace(line))
}

// forget removes a pid file whose number another program may have got since, which Postgres would take for itself.
func forget(file string) error {
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("remove stale %s: %w", file, err)
	}
	return nil
}
