package local

import (
	"os/exec"
	"syscall"
)

// endWithUs has the kernel stop a program when ours ends, however it ends.
func endWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}
