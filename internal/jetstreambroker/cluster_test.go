package jetstreambroker

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/tools/record"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	eventingclient "knative.dev/eventing/pkg/client/clientset/versioned"
	fakeeventing "knative.dev/eventing/pkg/client/injection/client/fake"
	brokerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker"
	_ "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker/fake"
	triggerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger"
	_ "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger/fake"
	brokerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/broker"
	"knative.dev/pkg/apis"
	_ "knative.dev/pkg/client/injection/ducks/duck/v1/addressable/fake"
	kubeclient "knative.dev/pkg/client/injection/kube/client/fake"
	"knative.dev/pkg/controller"
	_ "knative.dev/pkg/injection/clients/dynamicclient/fake"
	"knative.dev/pkg/leaderelection"
	"knative.dev/pkg/logging"
	reconcilertesting "knative.dev/pkg/reconciler/testing"
	_ "knative.dev/pkg/system/testing"

	"github.com/popup-shop/popup/internal/jetstream"
)

// cluster is an API server in memory and a NATS server on a port, which replicas of the program share.
type cluster struct {
	t      *testing.T
	ctx    context.Context // with clients and informers
	client eventingclient.Interface
	nats   string
	start  func() // of the informers
}

func openCluster(t *testing.T) *cluster {
	t.Helper()
	ctx, informers := reconcilertesting.SetupFakeContext(t)
	ctx = logging.WithLogger(controller.WithEventRecorder(ctx, &record.FakeRecorder{}), zap.NewNop().Sugar())
	ctx, cancel := context.WithCancel(ctx)
	t.Cleanup(cancel)
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
	})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(10*time.Second))
	var once sync.Once
	return &cluster{t: t, ctx: ctx, client: fakeeventing.Get(ctx), nats: s.ClientURL(), start: func() {
		once.Do(func() {
			_, err := reconcilertesting.RunAndSyncInformers(ctx, informers...)
			require.NoError(t, err)
		})
	}}
}

// replica is one running copy of the program.
type replica struct {
	*plane
	stop func() // and wait until it has ended
}

// kill ends a replica as a lost node would: what it delivers is not acknowledged any more.
func (r replica) kill() {
	r.conn.Close()
	r.stop()
}

func (c *cluster) replica() replica {
	c.t.Helper()
	settings := Settings{NATSURL: c.nats, Replicas: 1, MaxBytes: 1 << 26, Host: "broker.test"}
	conn, closeConn, err := connect(settings, "")
	require.NoError(c.t, err)
	ctx, cancel := context.WithCancel(c.ctx)
	ctx = leaderelection.WithStandardLeaderElectorBuilder(ctx, kubeclient.Get(ctx), leaderelection.ComponentConfig{
		Component: "jetstream-broker", Buckets: 1, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: time.Second,
	})
	p := newPlane(conn, settings, brokerinformer.Get(ctx).Lister(), triggerinformer.Get(ctx).Lister(),
		slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	go func() { done <- p.serveKubernetes(ctx, c.start) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && ctx.Err() == nil {
			c.t.Error(err)
		}
		closeConn()
	})
	c.t.Cleanup(stop)
	return replica{p, stop}
}

// broker creates a Broker and waits until it is ready.
func (c *cluster) broker(namespace, name string) {
	c.t.Helper()
	_, err := c.client.EventingV1().Brokers(namespace).Create(c.ctx, &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: uuid.NewUUID(), Annotations: map[string]string{brokerreconciler.ClassAnnotationKey: Class},
	}}, metav1.CreateOptions{})
	require.NoError(c.t, err)
	c.eventually(func() bool {
		b, err := c.client.EventingV1().Brokers(namespace).Get(c.ctx, name, metav1.GetOptions{})
		return err == nil && b.IsReady() && len(b.Finalizers) == 1
	}, "the Broker is ready")
}

// deleteBroker deletes a Broker as the API server does: it is gone once it has no finalizer any more.
func (c *cluster) deleteBroker(namespace, name string) {
	c.t.Helper()
	brokers := c.client.EventingV1().Brokers(namespace)
	b, err := brokers.Get(c.ctx, name, metav1.GetOptions{})
	require.NoError(c.t, err)
	b.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	_, err = brokers.Update(c.ctx, b, metav1.UpdateOptions{})
	require.NoError(c.t, err)
	c.eventually(func() bool {
		b, err := brokers.Get(c.ctx, name, metav1.GetOptions{})
		return err == nil && len(b.Finalizers) == 0
	}, "the Broker has no finalizer")
	require.NoError(c.t, brokers.Delete(c.ctx, name, metav1.DeleteOptions{}))
}

// trigger creates a Trigger.
func (c *cluster) trigger(namespace, name string, spec eventingv1.TriggerSpec) {
	c.t.Helper()
	t := &eventingv1.Trigger{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: uuid.NewUUID()}, Spec: spec,
	}
	t.SetDefaults(c.ctx)
	_, err := c.client.EventingV1().Triggers(namespace).Create(c.ctx, t, metav1.CreateOptions{})
	require.NoError(c.t, err)
}

// status waits until a condition of a Trigger is not unknown, and returns it.
func (c *cluster) status(
	namespace, name string, of apis.ConditionType, want func(*apis.Condition) bool,
) *apis.Condition {
	c.t.Helper()
	var found *apis.Condition
	c.eventually(func() bool {
		t, err := c.client.EventingV1().Triggers(namespace).Get(c.ctx, name, metav1.GetOptions{})
		if err != nil {
			return false
		}
		found = t.Status.GetCondition(of)
		return found != nil && want(found)
	}, "Trigger %s has its condition %s", name, of)
	return found
}

func (c *cluster) triggerReady(namespace, name string) {
	c.t.Helper()
	c.status(namespace, name, eventingv1.TriggerConditionReady, (*apis.Condition).IsTrue)
}

func (c *cluster) eventually(condition func() bool, what string, args ...any) {
	c.t.Helper()
	require.Eventuallyf(c.t, condition, 30*time.Second, 5*time.Millisecond, what, args...)
}

// publish posts an event to the ingress of a replica.
func (c *cluster) publish(r replica, broker types.NamespacedName, id string) int {
	c.t.Helper()
	ingress := httptest.NewServer(r.ingress())
	defer ingress.Close()
	response, err := jetstream.Post(c.ctx, http.DefaultClient, ingress.URL+"/"+broker.Namespace+"/"+broker.Name,
		jetstream.Event{
			Attributes: map[string]string{"specversion": "1.0", "id": id, "type": "a", "source": "/test"}, Data: []byte(`{}`),
		})
	require.NoError(c.t, err)
	return response.Status
}

// consumers returns the consumers of a Broker's stream; ok is false when there is no stream.
func (c *cluster) consumers(broker types.NamespacedName) (names []string, ok bool) {
	c.t.Helper()
	conn, err := nats.Connect(c.nats)
	require.NoError(c.t, err)
	defer conn.Close()
	js, err := natsjs.New(conn)
	require.NoError(c.t, err)
	stream, err := js.Stream(c.ctx, streamOf(broker))
	if err != nil {
		require.ErrorIs(c.t, err, natsjs.ErrStreamNotFound)
		return nil, false
	}
	for name := range stream.ConsumerNames(c.ctx).Name() {
		names = append(names, name)
	}
	return names, true
}

// subscriber counts the deliveries of each event.
type subscriber struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]int
}

// subscribe starts a subscriber that responds with what a function returns.
func (c *cluster) subscribe(respond func(id string) int) *subscriber {
	s := &subscriber{seen: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("Ce-Id")
		s.mu.Lock()
		s.seen[id]++
		s.mu.Unlock()
		w.WriteHeader(respond(id))
	}))
	c.t.Cleanup(s.Close)
	return s
}

func (s *subscriber) counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]int{}
	for id, n := range s.seen {
		all[id] = n
	}
	return all
}
