// Package jetstreambroker is the Broker of class JetStream for Knative: it stores the events of each Broker in one
// stream of NATS JetStream and delivers them as its Triggers ask, with the same engine that a laptop has.
//
// Every replica accepts events, delivers, and shares the consumers with the others. One of them, the leader, sets the
// status of Brokers and Triggers, and makes their streams and consumers:
//
//	Broker  → a stream, an address         status: Addressable, IngressReady, …
//	Trigger → a durable consumer in it     status: SubscriberResolved, SubscriptionReady, …
package jetstreambroker

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	brokerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker"
	triggerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection"
	"knative.dev/pkg/leaderelection"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/signals"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/jetstream"
)

// Settings come from the environment.
type Settings struct {
	NATSURL  string `envconfig:"NATS_URL" default:"nats://nats.nats-io.svc:4222" desc:"Address of NATS; unused with -embedded."`
	Replicas int    `envconfig:"STREAM_REPLICAS" default:"1" desc:"Copies of each event, on as many NATS servers."`
	MaxBytes int64  `envconfig:"STREAM_MAX_BYTES" default:"1073741824" desc:"Bytes that the stream of one Broker stores at most."`
	Host     string `envconfig:"INGRESS_HOST" required:"true" desc:"Host name of the Service in front of the replicas."`
	Port     string `envconfig:"PORT" default:"8080" desc:"Port that events are posted to."`

	Production bool `envconfig:"PRODUCTION" desc:"true: the start fails with plain text to a NATS outside the cluster."`
}

// Main runs the program until it is signalled to stop.
func Main() {
	embedded := flag.String("embedded", "", "folder of a NATS server in this program; without it NATS_URL names one")
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	if err := run(signals.NewContext(), embedded, log); err != nil {
		log.Error("jetstream-broker stopped", "error", err)
		os.Exit(1)
	}
}

// run reads the flags, too: the client of Kubernetes adds its own.
func run(ctx context.Context, embedded *string, log *slog.Logger) error {
	var settings Settings
	if err := envconfig.Process("", &settings); err != nil {
		return err
	}
	if settings.Production {
		if err := config.CheckSafe("NATS_URL", settings.NATSURL); err != nil {
			return err
		}
	}
	quiet := zap.NewProductionConfig()
	quiet.Level.SetLevel(zap.WarnLevel)
	logger, err := quiet.Build()
	if err != nil {
		return err
	}
	ctx, startInformers := injection.EnableInjectionOrDie(logging.WithLogger(ctx, logger.Sugar()), nil)
	conn, closeConn, err := connect(settings, *embedded)
	if err != nil {
		return err
	}
	defer closeConn()

	ctx = leaderelection.WithStandardLeaderElectorBuilder(ctx, kubeclient.Get(ctx), leaderelection.ComponentConfig{
		Component: "jetstream-broker", Buckets: 1, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
	})
	p := newPlane(conn, settings, brokerinformer.Get(ctx).Lister(), triggerinformer.Get(ctx).Lister(), log)
	parts, ctx := errgroup.WithContext(ctx) // when one part fails, the program ends
	parts.Go(func() error { return p.serveKubernetes(ctx, startInformers) })
	parts.Go(func() error { return serve(ctx, settings.Port, p.ingress()) })
	parts.Go(func() error { return serve(ctx, metricsPort, p.metrics.Handler()) })
	return parts.Wait()
}

// serveKubernetes delivers the events of Brokers and sets their status until ctx ends, with the clients and informers
// in ctx.
func (p *plane) serveKubernetes(ctx context.Context, startInformers func()) error {
	controllers := []*controller.Impl{newBrokerController(ctx, p, p.settings), newTriggerController(ctx, p)}
	watch(ctx, p)
	startInformers()
	parts, ctx := errgroup.WithContext(ctx)
	parts.Go(func() error { return controller.StartAll(ctx, controllers...) })
	parts.Go(func() error { p.run(ctx); return nil })
	return parts.Wait()
}

// connect returns a connection to NATS: to a server in this program if there is a folder for it.
func connect(settings Settings, embedded string) (conn *nats.Conn, closeConn func(), err error) {
	if embedded != "" {
		server, err := jetstream.StartServer(embedded)
		if err != nil {
			return nil, nil, err
		}
		return server.Conn, server.Close, nil
	}
	conn, err = nats.Connect(settings.NATSURL, nats.Name("jetstream-broker"), nats.MaxReconnects(-1),
		nats.RetryOnFailedConnect(true),
		nats.ReconnectWait(500*time.Millisecond))
	if err != nil {
		return nil, nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return conn, conn.Close, nil
}
