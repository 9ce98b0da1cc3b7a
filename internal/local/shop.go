package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local/bucket"
	"github.com/popup-shop/popup/internal/local/loopback"
	"github.com/popup-shop/popup/internal/local/mailbox"
	"github.com/popup-shop/popup/internal/local/postgres"
	"github.com/popup-shop/popup/internal/payment/simulator"
	"github.com/popup-shop/popup/internal/picture"
	"github.com/popup-shop/popup/internal/provision"
	"github.com/popup-shop/popup/internal/tracing"
	"github.com/popup-shop/popup/migrations"
)

// Options are how a shop is run on one machine.
type Options struct {
	Dir         string // everything that is kept
	DatabaseURL string // an existing Postgres; empty: a private one
	Fresh       bool   // start over, empty
	Postgres    map[string]string
	Profile     jetstream.DeliveryProfile
	Connections int32
	Processes   bool
	Bin         string                         // of the functions' programs, for Apart
	Idle        time.Duration                  // after which they are stopped
	Env         func(function string) []string // settings of a program beside those that all have; may be nil
	Tick        time.Duration                  // of the schedule
	IdleTick    time.Duration                  // of the schedule while no events are published; Tick if it is zero
	Address     string                         // of the shop, in its events
	Relay       string                         // of mails, as SMTP_URL; empty: they stay in the mailbox
	Attach      map[string]string              // addresses of processes that get the events of functions, by function
	Tracing     config.Tracing
	Log         *slog.Logger
	Out         io.Writer

	// For tests: how often each event is delivered beside the once, and what stands between functions and the broker or Postgres.
	Copies int
	Sink   func(cloudevent.Publisher) cloudevent.Publisher
	Pooler func(*postgres.Server) (url string) // in transaction mode, before Postgres
}

// Shop is a shop on one machine.
type Shop struct {
	Pool      *pgxpool.Pool
	Postgres  *postgres.Server // nil with a DatabaseURL
	Mailbox   *mailbox.Store
	SMTP      string // address of the mailbox, as SMTP_URL
	Bucket    *bucket.Bucket
	Simulator *simulator.Simulator // of payment providers
	Engine    *Engine
	Processes *Processes

	options  Options
	url      string
	tracer   *tracing.Tracer
	relay    *mailbox.Relay // nil: mails stay in the mailbox
	handler  http.Handler
	inside   *http.Server
	stopping []func()
}

// Open opens what functions stand on: database, migrated, and mailbox.
func Open(ctx context.Context, o Options) (s *Shop, err error) {
	o.Address = cmp.Or(o.Address, defaultAddress)
	s = &Shop{options: o, url: o.DatabaseURL, tracer: tracing.New(o.Tracing)}
	defer func() {
		if err != nil {
			s.Close()
			s = nil
		}
	}()
	if err := s.prepareDir(); err != nil {
		return s, err
	}
	if s.url == "" {
		s.Postgres, err = postgres.Start(ctx, postgres.Options{Dir: filepath.Join(o.Dir, "postgres"), Fresh: o.Fresh, Settings: o.Postgres})
		if err != nil {
			return s, err
		}
		s.url = s.Postgres.URL()
		s.later(func() { s.stopPostgres() })
	}
	if err := migrations.Up(ctx, s.url); err != nil {
		return s, err
	}
	database := config.Database{URL: s.url, Pool: o.Connections}
	if o.Pooler != nil {
		database.URL, database.Pooler = o.Pooler(s.Postgres), config.PoolerTransaction
	}
	s.Pool, err = database.OpenTraced(ctx, s.tracer.Counter())
	if err != nil {
		return s, err
	}
	s.later(s.Pool.Close)
	if s.Bucket, err = bucket.Open(filepath.Join(o.Dir, "pictures"), bucketName); err != nil {
		return s, err
	}
	s.later(func() { _ = s.Bucket.Close() })
	if s.Simulator, err = openSimulator(o, func() http.Handler { return s.handler }); err != nil {
		return s, err
	}
	s.later(func() { _ = s.Simulator.Close() })
	return s, s.openMailbox()
}

// bucketName is that of the one bucket of the shop.
const bucketName = "pictures"

// Pictures are the settings of the shop's own store of pictures.
func (s *Shop) Pictures() config.Pictures {
	return config.Pictures{
		S3URL: s.Bucket.URL, S3Bucket: bucketName, S3Region: "local", S3Key: s.Bucket.Key, S3Secret: s.Bucket.Secret,
		PictureURL: config.PictureURL{PicturesURL: "/pictures/"},
	}
}

func (s *Shop) later(stop func()) { s.stopping = append(s.stopping, stop) }

// prepareDir makes the folder, and empties what is not Postgres's when starting over.
func (s *Shop) prepareDir() error {
	for _, part := range []string{"broker", "mailbox", "pictures", "payments"} {
		dir := filepath.Join(s.options.Dir, part)
		if s.options.Fresh {
			if err := os.RemoveAll(dir); err != nil {
				return fmt.Errorf("start over: %w", err)
			}
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	return nil
}

func (s *Shop) stopPostgres() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.Postgres.Stop(ctx); err != nil {
		s.options.Log.Error("postgres did not stop", "error", err)
	}
}

func (s *Shop) openMailbox() (err error) {
	if s.Mailbox, err = mailbox.Open(filepath.Join(s.options.Dir, "mailbox")); err != nil {
		return err
	}
	if s.options.Relay != "" {
		if s.relay, err = mailbox.ParseRelay(s.options.Relay); err != nil {
			return err
		}
		s.relay.TakeFrom(s.Mailbox)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open mailbox: %w", err)
	}
	s.SMTP = "smtp://" + l.Addr().String()
	s.later(func() { _ = s.Mailbox.Close() })
	go func() { _ = s.Mailbox.Serve(l) }()
	return nil
}

// Gateway is the function that is the public door: its name, and how it is declared when it holds the others.
type Gateway struct {
	Name   string
	Within func(reach func(name string) http.Handler) function.Function
}

// Start subscribes the functions and begins to deliver.
func (s *Shop) Start(ctx context.Context, all []function.Function, triggers []jetstream.Trigger, door Gateway) error {
	if err := provision.Subscribe(ctx, s.Pool, all); err != nil {
		return err
	}
	if err := provision.GrantRoles(ctx, s.Pool, all, ""); err != nil {
		return err
	}
	s.Engine = &Engine{
		Functions: all, Triggers: triggers, Profile: s.options.Profile, Dir: filepath.Join(s.options.Dir, "broker"),
		Log: s.options.Log, Every: s.options.Tick, AtMost: s.options.IdleTick, Copies: s.options.Copies, Address: s.options.Address,
	}
	front, err := door.open(ctx, s, all)
	if err != nil {
		return err
	}
	s.handler = newMux(s, front)
	if err := s.Engine.Start(ctx); err != nil {
		return err
	}
	s.later(s.Engine.Stop)
	return nil
}

// open has the engine of a shop deliver to the functions, in this process or in others, and returns the public entry point.
func (door Gateway) open(ctx context.Context, s *Shop, all []function.Function) (front http.Handler, err error) {
	if s.options.Processes || len(s.options.Attach) > 0 {
		if err := s.openInside(all, door.Name); err != nil {
			return nil, err
		}
	}
	if s.options.Processes {
		s.Engine.Tell, front = s.Processes, s.Processes.Handler(door.Name)
	} else {
		sink := cloudevent.Publisher(s.Engine)
		if s.options.Sink != nil {
			sink = s.options.Sink(sink)
		}
		rt := &function.Runtime{Pool: s.Pool, Sink: sink, Log: s.options.Log, Tracer: s.tracer, Revision: "local", Dependencies: s.outside()}
		var gateway http.Handler
		rt.Gateway = func() http.Handler { return gateway }
		rt.Stopping = ctx.Done()
		together := NewInProcess(rt, slices.DeleteFunc(slices.Clone(all), func(f function.Function) bool { return f.Name == door.Name }))
		within := door.Within(together.Handler)
		gateway = rt.ServeMux(&within)
		s.Engine.Tell, front = together, gateway
	}
	if len(s.options.Attach) > 0 {
		s.Engine.Tell, err = newAttached(s.Engine.Tell, s.options, s.Processes.Env)
	}
	return front, err
}

// newMux returns the routes of a shop: those for people on this machine, and the public entry point.
func newMux(s *Shop, front http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	mails := loopback.Only(s.Mailbox.Handler())
	for _, path := range []string{"/mailbox", "/mailbox/", "/mailbox.json"} {
		mux.Handle(path, mails)
	}
	s.countDelivery()
	mux.Handle("GET /metrics/delivery", loopback.Only(s.Engine.Metrics.Handler()))
	addPages(mux, s.Simulator)
	mux.Handle("GET /pictures/{name}", picture.Open(s.Pictures()).Handler())
	mux.Handle("/", front)
	return mux
}

// Handler is the shop's one public door, and the mailbox.
func (s *Shop) Handler() http.Handler { return s.handler }

// Close stops everything, the last opened first.
func (s *Shop) Close() {
	for i := len(s.stopping) - 1; i >= 0; i-- {
		s.stopping[i]()
	}
	s.stopping = nil
}

// Serve serves the public door on an address until ctx ends, or the private Postgres does for good.
func (s *Shop) Serve(ctx context.Context, l net.Listener) error {
	server := function.NewServer(s.handler)
	var lost <-chan error
	if s.Postgres != nil {
		lost = s.Postgres.Lost()
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(function.Bound(l)) }()
	select {
	case err := <-failed:
		return err
	case err := <-lost:
		return err
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}
