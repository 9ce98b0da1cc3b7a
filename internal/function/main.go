package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"knative.dev/pkg/network/handlers"
	"knative.dev/pkg/signals"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/logging"
	"github.com/popup-shop/popup/internal/tracing"
)

// quiet is how long a stopping function still answers, so that the last requests routed to it are not refused.
const quiet = 2 * time.Second

// logTimeout is how long the last lines of the log may take at the end.
const logTimeout = time.Second

// Main runs one function as a program until SIGTERM or an interrupt.
func Main(f Function) {
	if err := run(signals.NewContext(), f); err != nil {
		fmt.Fprintln(os.Stderr, f.Name+": "+err.Error())
		os.Exit(1)
	}
}

// MainWith is Main for a function that needs settings. They are read once, here.
func MainWith[C any](declare func(C) Function) {
	settings, err := config.Read[C]()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	Main(declare(settings))
}

func run(ctx context.Context, f Function) error {
	if err := config.CheckNames(os.Environ()); err != nil {
		return err
	}
	process, err := config.Read[config.Process]()
	if err != nil {
		return err
	}
	public, err := config.Read[config.Public]()
	if err != nil {
		return err
	}
	database, err := config.Read[config.Database]()
	if err != nil {
		return err
	}
	tracer := tracing.New(process.Tracing)
	pool, err := database.OpenTraced(ctx, tracer.Counter())
	if err != nil {
		return err
	}
	defer pool.Close()
	var level slog.Level
	if err := level.UnmarshalText([]byte(process.LogLevel)); err != nil {
		return fmt.Errorf("LOG_LEVEL=%s: %w", process.LogLevel, err)
	}
	lines := logging.NewBounded(os.Stdout)
	defer lines.Close(logTimeout)
	sink := cloudevent.HTTPSink{
		URL: process.Sink, Shop: public.PublicURL,
		Client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: maxBatch}},
	}
	rt := &Runtime{
		Pool:         pool,
		Sink:         sink,
		Log:          logging.NewJSON(lines, level),
		Tracer:       tracer,
		Revision:     process.Revision,
		Dependencies: brokerOf(sink, f.Name),
		Stopping:     ctx.Done(),
	}
	defer tracer.Flush(context.WithoutCancel(ctx))
	defer rt.Wait()
	return serve(ctx, process, rt.ServeMux(&f))
}

// brokerOf returns the dependency on the broker of a sink, if there is one.
func brokerOf(sink cloudevent.HTTPSink, name string) Dependencies {
	if sink.URL == "" {
		return nil
	}
	return Dependencies{"broker": ProbeCheck(sink, name)}
}

// serve answers until ctx ends, then drains: probes are refused, what is in hand is finished.
func serve(ctx context.Context, process config.Process, mux http.Handler) error {
	drainer := &handlers.Drainer{Inner: mux, QuietPeriod: quiet, HealthCheckUAPrefixes: []string{"kube-probe/"}}
	server := NewServer(drainer)
	l, err := net.Listen("tcp", process.Address())
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(Bound(l)) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	drainer.Drain()
	stopping, cancel := context.WithTimeout(context.Background(), process.ShutdownTimeout)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}
