package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Running is the address of the cluster that runs on a folder, for other processes than the one that started it.
func Running(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		return "", fmt.Errorf("find running postgres: %w", err)
	}
	lines := strings.Split(string(text), "\n") // pid, data, start, port, socket folder, …
	if len(lines) < 5 {
		return "", fmt.Errorf("find running postgres in %s: it is starting", dir)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || syscall.Kill(pid, 0) == syscall.ESRCH {
		return "", fmt.Errorf("find running postgres in %s: it has stopped", dir)
	}
	return address(lines[4], lines[3], Superuser, Superuser), nil
}
