//go:build unix && !linux

package postgres

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dieWithParent does nothing: only Linux can. The next start stops what was left over.
func dieWithParent(*syscall.SysProcAttr) {}

// runsOn reports whether the process is a cluster on the data folder, by its command line.
func runsOn(pid int, data string) bool {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "-D "+data+" ")
}

func processes(int) ([]Process, error) {
	return nil, errors.New("read processes: only on linux")
}

func cpuTime(int) (time.Duration, error) {
	return 0, errors.New("read cpu time: only on linux")
}
