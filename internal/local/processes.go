package local

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	startIn = 20 * time.Second
	stopIn  = 35 * time.Second
)

// Processes are functions as programs of their own: started on their first call, stopped when idle, as on a cluster.
type Processes struct {
	Bin       string                         // folder of the programs
	Env       func(function string) []string // settings of a program, beside its PORT
	Functions []string                       // that there are, by name
	Idle      time.Duration                  // after how long without a call a program is stopped
	Address   string                         // of the shop, which its events name as their source
	Log       *slog.Logger
	Out       io.Writer // what the programs print

	mu       sync.Mutex
	programs map[string]*program
	starts   map[string]int                 // by function
	lanes    map[string]*semaphore.Weighted // by function
	suspects map[string]bool                // by function and event: its process ended before there was a response
	client   http.Client
}

// atOnce is how many events a program is sent at once.
const atOnce = 128

// lane waits until an event may be sent to a function. An event that was under way when a process ended is sent alone: either it
// ends the next one, too, or it was beside the one that did.
func (a *Processes) lane(ctx context.Context, name, event string) (leave func(), err error) {
	a.mu.Lock()
	if a.lanes == nil {
		a.lanes, a.suspects = map[string]*semaphore.Weighted{}, map[string]bool{}
	}
	if a.lanes[name] == nil {
		a.lanes[name] = semaphore.NewWeighted(atOnce)
	}
	lane, places := a.lanes[name], int64(1)
	if a.suspects[name+" "+event] {
		places = atOnce
	}
	a.mu.Unlock()
	if err := lane.Acquire(ctx, places); err != nil {
		return nil, err
	}
	return func() { lane.Release(places) }, nil
}

// maxSuspects bounds what is remembered; beyond it all is forgotten, which costs a few attempts.
const maxSuspects = 10_000

// suspect remembers whether an event was under way when a process ended.
func (a *Processes) suspect(name, event string, is bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.suspects) >= maxSuspects {
		clear(a.suspects)
	}
	if delete(a.suspects, name+" "+event); is {
		a.suspects[name+" "+event] = true
	}
}

// program is one function that runs, or is about to.
type program struct {
	name    string
	ready   chan struct{} // closed when it answers, or never will
	err     error
	url     *url.URL
	cmd     *exec.Cmd
	exited  chan struct{}
	calls   int
	lastUse time.Time
	started time.Time
	took    time.Duration
}

// Running names the programs that run now, with their process ids.
func (a *Processes) Running() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	running := map[string]int{}
	for name, p := range a.programs {
		if p.cmd != nil && p.cmd.Process != nil {
			running[name] = p.cmd.Process.Pid
		}
	}
	return running
}

// Run stops idle programs until ctx ends, then all of them.
func (a *Processes) Run(ctx context.Context) {
	for ctx.Err() == nil {
		a.stop(func(p *program) bool { return p.calls == 0 && time.Since(p.lastUse) > a.Idle })
		pause(ctx, min(time.Second, a.Idle/2))
	}
	a.stop(func(*program) bool { return true })
}

func (a *Processes) stop(which func(*program) bool) {
	a.mu.Lock()
	var stopping []*program
	for name, p := range a.programs {
		if p.cmd != nil && which(p) {
			stopping = append(stopping, p)
			delete(a.programs, name)
		}
	}
	a.mu.Unlock()
	var stopped sync.WaitGroup
	for _, p := range stopping {
		stopped.Go(p.stop)
	}
	stopped.Wait()
}

func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopIn):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// use returns the address of a function, which it starts if necessary. Call done after the request.
func (a *Processes) use(ctx context.Context, name string) (address *url.URL, done func(), err error) {
	a.mu.Lock()
	if a.programs == nil {
		a.programs, a.starts = map[string]*program{}, map[string]int{}
	}
	p, runs := a.programs[name]
	if !runs {
		p = &program{name: name, ready: make(chan struct{}), exited: make(chan struct{}), started: time.Now()}
		a.programs[name] = p
		a.starts[name]++
		go a.start(p)
	}
	p.calls++
	a.mu.Unlock()
	done = func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		p.calls--
		p.lastUse = time.Now()
	}
	select {
	case <-p.ready:
	case <-ctx.Done():
		done()
		return nil, nil, ctx.Err()
	}
	if p.err != nil {
		done()
		return nil, nil, p.err
	}
	return p.url, done, nil
}

// start starts a program and waits until it answers. One that exits is forgotten, so that the next call starts it again.
func (a *Processes) start(p *program) {
	defer close(p.ready)
	if p.err = a.launch(p); p.err != nil {
		a.forget(p)
		return
	}
	deadline := time.Now().Add(startIn)
	for {
		if answer, err := a.client.Get(p.url.String() + "/health"); err == nil {
			_ = answer.Body.Close()
			p.took = time.Since(p.started)
			a.Log.Info("started", "function", p.name, "ms", p.took.Milliseconds())
			return
		}
		select {
		case <-p.exited:
			p.err = fmt.Errorf("start %s: it exited", p.name)
			return
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.err = fmt.Errorf("start %s: no answer in %s", p.name, startIn)
			_ = p.cmd.Process.Kill()
			return
		}
	}
}

func (a *Processes) launch(p *program) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	p.url = &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	cmd := exec.Command(filepath.Join(a.Bin, p.name))
	cmd.Env = append(append(os.Environ(), a.Env(p.name)...), "SERVER_HOST=127.0.0.1", "PORT="+strconv.Itoa(port), "K_REVISION=local")
	cmd.Stdout, cmd.Stderr = a.Out, a.Out
	endWithUs(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s (make build makes it): %w", p.name, err)
	}
	a.mu.Lock()
	p.cmd, p.lastUse = cmd, time.Now()
	a.mu.Unlock()
	go func() {
		_ = cmd.Wait() // how it exited shows in what it printed
		close(p.exited)
		a.forget(p)
	}()
	return nil
}

func (a *Processes) forget(p *program) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.programs[p.name] == p {
		delete(a.programs, p.name)
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
