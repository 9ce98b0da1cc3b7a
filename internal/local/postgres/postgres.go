// Package postgres runs a private Postgres cluster made from the installed binaries.
//
// A cluster is a folder. It listens on a Unix socket in a folder only its owner may enter, never on a port, and it
// ends with the process that started it. The package does not know what is stored in it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Superuser is the role that owns the cluster, and the name of the database made in it.
const Superuser = "popup"

// cannotConnectNow is what Postgres answers while it starts.
const cannotConnectNow = "57P03"

// Options are the folder of a cluster and its differences from the defaults.
type Options struct {
	// Dir is the folder of the cluster, made when missing. The data are in Dir/data. When root starts the cluster
	// and the user it drops to cannot reach Dir, Dir/data is a link to a folder below /var/lib/popup; removing Dir
	// starts over there, too.
	Dir string
	// Fresh removes the data of earlier runs first.
	Fresh bool
	// Settings override Defaults, by the names of postgresql.conf.
	Settings map[string]string
	// Log receives what Postgres writes to its log; nil discards it.
	Log io.Writer
}

// Defaults returns the settings for a small machine on which no committed order may be lost.
func Defaults() map[string]string {
	return map[string]string{
		"autovacuum":         "on",
		"fsync":              "on",
		"jit":                "off",
		"log_checkpoints":    "off",
		"log_timezone":       "UTC",
		"max_connections":    "100",
		"max_wal_senders":    "0",
		"max_wal_size":       "1GB",
		"shared_buffers":     "128MB",
		"synchronous_commit": "on",
		"timezone":           "UTC",
		"wal_level":          "minimal",
		"wal_writer_delay":   "10ms",

		"update_process_title": "off",
	}
}

// Server is one cluster of this process. Its methods may be called from several goroutines.
type Server struct {
	bin      binaries
	home     *home
	settings map[string]string
	log      io.Writer

	turn  sync.Mutex // held while the cluster is started or stopped
	child atomic.Pointer[process]
	lost  chan error
}

// Start makes the cluster of o.Dir when there is none, starts it and returns once the database popup answers.
// What an earlier, killed process left running on the folder is stopped first; a folder that a living process uses
// is an error. The context bounds the start only.
func Start(ctx context.Context, o Options) (*Server, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	h, err := openHome(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, home: h, settings: Defaults(), log: o.Log, lost: make(chan error, 1)}
	maps.Copy(s.settings, o.Settings)
	if s.log == nil {
		s.log = io.Discard
	}
	if err := s.prepare(ctx, o.Fresh); err != nil {
		return nil, errors.Join(err, h.close())
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return s, nil
}

// prepare leaves a stopped cluster in the data folder.
func (s *Server) prepare(ctx context.Context, fresh bool) error {
	if err := s.home.stopLeftOver(ctx); err != nil {
		return err
	}
	if fresh || !s.home.linked() {
		if err := os.RemoveAll(s.home.data); err != nil {
			return fmt.Errorf("remove cluster %s: %w", s.home.data, err)
		}
	}
	if _, err := os.Stat(filepath.Join(s.home.data, "PG_VERSION")); err == nil {
		return nil
	}
	if err := s.home.initialise(ctx, s.bin, s.settings["fsync"] != "off"); err != nil {
		return err
	}
	return s.home.link()
}

// start runs Postgres and returns once the database popup answers.
func (s *Server) start(ctx context.Context) error {
	if err := s.home.makeSocketFolder(); err != nil {
		return err
	}
	settings := maps.Clone(s.settings)
	settings["listen_addresses"] = ""
	settings["unix_socket_directories"] = s.home.socket
	child, err := launch(s.home.owner, s.log, s.bin.postgres, arguments(s.home.data, settings)...)
	if err != nil {
		return fmt.Errorf("start postgres in %s: %w", s.home.data, err)
	}
	if err := s.await(ctx, child); err != nil {
		child.stop(context.Background(), syscall.SIGQUIT)
		return fmt.Errorf("start postgres in %s: %w", s.home.data, err)
	}
	s.child.Store(child)
	go s.watch(child)
	return nil
}

// await returns nil once the database popup is there, and an error as soon as the process has ended.
func (s *Server) await(ctx context.Context, child *process) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.makeDatabase(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-child.exited:
			return fmt.Errorf("it ended at once: %s", child.tail)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
		if !notYet(err) {
			return err
		}
	}
}

// notYet reports whether Postgres does not listen yet, or is in recovery.
func notYet(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code == cannotConnectNow
	}
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)
}

// makeDatabase creates the database popup when it is missing.
func (s *Server) makeDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URLFor(Superuser, "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var found bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, Superuser).Scan(&found)
	if err != nil || found {
		return err
	}
	_, err = conn.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{Superuser}.Sanitize())
	return err
}

// URL returns where the database popup is reached as its superuser.
func (s *Server) URL() string { return s.URLFor(Superuser, Superuser) }

// URLFor returns where a database is reached as a role. There is no password: every user with access to the socket's folder may
// use any role.
func (s *Server) URLFor(role, database string) string {
	return address(s.home.socket, "5432", role, database)
}

func address(socket, port, role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database}
	u.RawQuery = url.Values{"host": {strings.TrimSpace(socket)}, "port": {strings.TrimSpace(port)}}.Encode()
	return u.String()
}

// Stop ends the cluster in order: sessions are cut, everything is written. When the context ends first it is ended
// without order, which loses nothing committed but makes the next start recover. A stopped server stays stopped;
// stopping it again does nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	err := s.signal(ctx, syscall.SIGINT)
	return errors.Join(err, s.home.close())
}

// Kill ends the cluster as a crash would: nothing is written any more. Restart brings it back.
func (s *Server) Kill() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.signal(context.Background(), syscall.SIGQUIT)
}

// Restart stops the cluster in order when it runs, and starts it again under the same URL.
func (s *Server) Restart(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.signal(ctx, syscall.SIGINT); err != nil {
		return err
	}
	if s.home.closed() {
		return fmt.Errorf("restart postgres in %s: it was stopped", s.home.data)
	}
	return s.start(ctx)
}

// Pid returns the process id of the cluster's first process, and 0 when it does not run.
func (s *Server) Pid() int {
	if child := s.child.Load(); child != nil {
		return child.pid()
	}
	return 0
}

// CPUTime returns the user and system time the cluster has used since its last start: its first process, those it
// has now and those that have ended. The resolution is 10 ms. It needs /proc, that is, Linux.
func (s *Server) CPUTime() (time.Duration, error) {
	pid := s.Pid()
	if pid == 0 {
		return 0, errors.New("read cpu time: postgres does not run")
	}
	return cpuTime(pid)
}

// signal ends the child with sig and waits for it.
func (s *Server) signal(ctx context.Context, sig syscall.Signal) error {
	child := s.child.Swap(nil)
	if child == nil {
		return nil
	}
	if err := child.stop(ctx, sig); err != nil {
		return fmt.Errorf("stop postgres in %s: %w", s.home.data, err)
	}
	return nil
}
