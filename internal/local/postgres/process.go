package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// command prepares a program of Postgres as the owner, apart from our terminal's signals and from PG variables.
func command(ctx context.Context, o *owner, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_MESSAGES=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if o != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: o.uid, Gid: o.gid}
	}
	return cmd
}

// arguments returns the command line of a cluster, in a stable order.
func arguments(data string, settings map[string]string) []string {
	args := []string{"-D", data}
	for name, value := range settings {
		args = append(args, "--"+name+"="+value)
	}
	slices.Sort(args[2:])
	return args
}

// process is a running Postgres.
type process struct {
	cmd    *exec.Cmd
	tail   *tail
	exited chan struct{} // closed when it has ended
}

// launch starts Postgres such that it shuts down when this process dies.
//
// Linux sends that signal when the thread that forked ends, so one thread stays with the child for as long as it
// lives.
func launch(o *owner, log io.Writer, name string, args ...string) (*process, error) {
	p := &process{tail: &tail{next: log}, exited: make(chan struct{})}
	p.cmd = command(context.Background(), o, name, args...)
	p.cmd.Stderr = p.tail
	p.cmd.WaitDelay = time.Second
	dieWithParent(p.cmd.SysProcAttr)
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // how it ended is in its log
			close(p.exited)
		}
	}()
	return p, <-started
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop sends sig and waits for the end. When the context ends first it kills the process and returns an error.
func (p *process) stop(ctx context.Context, sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it fails only when there is nothing left to end
	<-p.exited
	return fmt.Errorf("ended without order: %w", ctx.Err())
}

// tail passes a log on and remembers its end.
type tail struct {
	next io.Writer
	mu   sync.Mutex
	last []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	t.last = append(t.last, b...)
	t.last = t.last[max(0, len(t.last)-tailBytes):]
	t.mu.Unlock()
	_, _ = t.next.Write(b) // a log that cannot be written must not stop the cluster
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}
