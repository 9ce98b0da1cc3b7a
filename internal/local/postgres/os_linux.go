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

// tick is the unit of /proc's times, the same on every Linux.
const tick = 10 * time.Millisecond

// dieWithParent asks the kernel for a shutdown in order when the thread that forks ends.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }

// runsOn reports whether the process is a cluster on the data folder: Postgres makes it its working folder.
func runsOn(pid int, data string) bool {
	cwd, cwdErr := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	folder, err := os.Stat(data)
	return cwdErr == nil && err == nil && os.SameFile(cwd, folder)
}

// cpuTime adds the times of a process, of its living children and of those it has buried.
func cpuTime(pid int) (time.Duration, error) {
	total, _, err := statOf(pid)
	if err != nil {
		return 0, fmt.Errorf("read cpu time of %d: %w", pid, err)
	}
	files, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, fmt.Errorf("read cpu time of %d: %w", pid, err)
	}
	for _, file := range files {
		child, _ := strconv.Atoi(filepath.Base(file)) // no process is 0
		used, parent, err := statOf(child)
		if err == nil && parent == pid { // one that has ended meanwhile is its parent's next time
			total += used
		}
	}
	return total, nil
}

// processes returns a process and its living children.
func processes(pid int) ([]Process, error) {
	files, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("read processes of %d: %w", pid, err)
	}
	var all []Process
	for _, file := range files {
		id, _ := strconv.Atoi(filepath.Base(file))
		used, parent, err := statOf(id)
		if err != nil || id != pid && parent != pid {
			continue
		}
		kind := "postmaster"
		if id != pid {
			kind = kindOf(id)
		}
		all = append(all, Process{PID: id, Kind: kind, CPUTime: used})
	}
	return all, nil
}

// kindOf returns what a child of a cluster does, which it writes over its command line. A backend shows the role it serves.
func kindOf(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	title := strings.TrimPrefix(strings.TrimRight(string(text), "\x00 "), "postgres: ")
	if strings.Contains(title, "[local]") {
		return "backend"
	}
	return strings.TrimSpace(title)
}

// statOf reads user, system and buried children's time, and the parent, as proc(5) numbers them.
func statOf(pid int) (used time.Duration, parent int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // from field 3 on
	if len(fields) < 15 {
		return 0, 0, errors.New("stat is cut short")
	}
	parent, err = strconv.Atoi(fields[1])
	for _, field := range fields[11:15] {
		ticks, parseErr := strconv.ParseInt(field, 10, 64)
		err = errors.Join(err, parseErr)
		used += time.Duration(ticks) * tick
	}
	return used, parent, err
}
