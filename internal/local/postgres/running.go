package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Found is a cluster that another process started.
type Found struct {
	pid          int
	socket, port string
}

// Find finds the cluster that runs on a folder.
func Find(dir string) (Found, error) {
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		return Found{}, fmt.Errorf("find running postgres: %w", err)
	}
	lines := strings.Split(string(text), "\n") // pid, data, start, port, socket folder, …
	if len(lines) < 5 {
		return Found{}, fmt.Errorf("find running postgres in %s: it is starting", dir)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return Found{}, fmt.Errorf("find running postgres in %s: it has stopped", dir)
	}
	return Found{pid: pid, socket: lines[4], port: lines[3]}, nil
}

// URL returns where its database popup is reached as its superuser.
func (f Found) URL() string { return address(f.socket, f.port, Superuser, Superuser) }

// CPUTime returns the user and system time that it has used since its start.
func (f Found) CPUTime() (time.Duration, error) { return cpuTime(f.pid) }

// Process is one of the processes of a cluster.
type Process struct {
	PID     int
	Kind    string        // "backend" for one that serves a connection, otherwise as Postgres names it: "walwriter", "checkpointer"
	CPUTime time.Duration // user and system
}

// Processes returns the processes that the cluster has now. It needs /proc, that is, Linux.
func (f Found) Processes() ([]Process, error) { return processes(f.pid) }

// Socket returns the folder of its socket and its port.
func (f Found) Socket() (folder, port string) {
	return strings.TrimSpace(f.socket), strings.TrimSpace(f.port)
}
