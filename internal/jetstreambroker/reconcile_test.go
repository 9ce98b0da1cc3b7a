package jetstreambroker

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	eventingduck "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	brokerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/broker"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	dynamicclient "knative.dev/pkg/injection/clients/dynamicclient/fake"
)

var shop = types.NamespacedName{Namespace: "shop", Name: "shop"}

// to returns a Trigger of broker "shop" that delivers everything to an address.
func to(t *testing.T, address string) eventingv1.TriggerSpec {
	t.Helper()
	uri, err := apis.ParseURL(address)
	require.NoError(t, err)
	timeout, delay, retry, linear := "PT1S", "PT0.1S", int32(100), eventingduck.BackoffPolicyLinear
	return eventingv1.TriggerSpec{
		Broker: shop.Name, Subscriber: duckv1.Destination{URI: uri},
		Delivery: &eventingduck.DeliverySpec{Retry: &retry, BackoffPolicy: &linear, BackoffDelay: &delay, Timeout: &timeout},
	}
}

// service creates a Service that can be a subscriber.
func (c *cluster) service(name string) {
	c.t.Helper()
	service := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": name, "namespace": shop.Namespace},
	}}
	services := dynamicclient.Get(c.ctx).Resource(corev1.SchemeGroupVersion.WithResource("services"))
	_, err := services.Namespace(shop.Namespace).Create(c.ctx, service, metav1.CreateOptions{})
	require.NoError(c.t, err)
}

func accepted(string) int { return http.StatusOK }

func TestATriggerWithAnUnknownSubscriberIsNotReady(t *testing.T) {
	c := openCluster(t)
	c.replica()
	c.broker(shop.Namespace, shop.Name)
	c.trigger(shop.Namespace, "t", eventingv1.TriggerSpec{
		Broker: shop.Name, Subscriber: duckv1.Destination{
			Ref: &duckv1.KReference{APIVersion: "v1", Kind: "Service", Name: "receiver"},
		},
	})
	resolved := c.status(shop.Namespace, "t", eventingv1.TriggerConditionSubscriberResolved, (*apis.Condition).IsFalse)
	require.Equal(t, "UnknownSubscriber", resolved.Reason)
	require.Contains(t, resolved.Message, "receiver")
	c.status(shop.Namespace, "t", eventingv1.TriggerConditionReady, (*apis.Condition).IsFalse)

	c.service("receiver")
	c.triggerReady(shop.Namespace, "t")
}

// The shop's dead-letter sink is a function, which is deployed once the Broker has its address.
func TestABrokerHasItsAddressBeforeItsDeadLetterSinkIsThere(t *testing.T) {
	c := openCluster(t)
	c.replica()
	brokers := c.client.EventingV1().Brokers(shop.Namespace)
	_, err := brokers.Create(c.ctx, &eventingv1.Broker{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: shop.Namespace, Name: shop.Name,
			Annotations: map[string]string{brokerreconciler.ClassAnnotationKey: Class},
		},
		Spec: eventingv1.BrokerSpec{Delivery: &eventingduck.DeliverySpec{DeadLetterSink: &duckv1.Destination{
			Ref: &duckv1.KReference{APIVersion: "v1", Kind: "Service", Name: "receiver"},
		}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	status := func(condition apis.ConditionType) *apis.Condition {
		b, err := brokers.Get(c.ctx, shop.Name, metav1.GetOptions{})
		require.NoError(t, err)
		return b.Status.GetCondition(condition)
	}
	c.eventually(func() bool { return status(eventingv1.BrokerConditionReady).IsFalse() }, "the Broker is not ready")
	require.True(t, status(eventingv1.BrokerConditionAddressable).IsTrue())
	require.Equal(t, "UnknownDeadLetterSink", status(eventingv1.BrokerConditionReady).Reason)
	c.service("receiver")
	c.eventually(func() bool { return status(eventingv1.BrokerConditionReady).IsTrue() }, "the Broker is ready")
}

// Eventing would leave the filter out, and deliver everything.
func TestATriggerWithABrokenFilterIsNotReady(t *testing.T) {
	c := openCluster(t)
	r := c.replica()
	c.broker(shop.Namespace, shop.Name)
	none, all := c.subscribe(accepted), c.subscribe(accepted)
	spec := to(t, none.URL)
	spec.Filters = []filter{{CESQL: "type = = 'x'"}}
	c.trigger(shop.Namespace, "broken", spec)
	c.trigger(shop.Namespace, "all", to(t, all.URL))
	condition := c.status(shop.Namespace, "broken", eventingv1.TriggerConditionReady, (*apis.Condition).IsFalse)
	require.Equal(t, "InvalidFilter", condition.Reason)
	c.triggerReady(shop.Namespace, "all")
	require.Equal(t, http.StatusAccepted, c.publish(r, shop, "1"))
	c.eventually(func() bool { return all.counts()["1"] == 1 }, "another Trigger is delivered")
	require.Empty(t, none.counts())
}

func TestATriggerWithoutABrokerIsNotReady(t *testing.T) {
	c := openCluster(t)
	c.replica()
	c.broker(shop.Namespace, shop.Name)
	c.trigger(shop.Namespace, "t", to(t, "http://receiver.test"))
	c.triggerReady(shop.Namespace, "t")
	c.deleteBroker(shop.Namespace, shop.Name)
	condition := c.status(shop.Namespace, "t", eventingv1.TriggerConditionReady, (*apis.Condition).IsFalse)
	require.Equal(t, "BrokerDoesNotExist", condition.Reason)
}

// What waits in a Broker goes with it; a new one of the same name delivers what comes after it.
func TestABrokerIsDeletedAndCreatedAgainWithABacklog(t *testing.T) {
	c := openCluster(t)
	first, second := c.replica(), c.replica()
	c.broker(shop.Namespace, shop.Name)
	var open atomic.Bool
	s := c.subscribe(func(string) int {
		if open.Load() {
			return http.StatusOK
		}
		return http.StatusServiceUnavailable
	})
	c.trigger(shop.Namespace, "t", to(t, s.URL))
	c.triggerReady(shop.Namespace, "t")
	for i := range 50 {
		require.Equal(t, http.StatusAccepted, c.publish(first, shop, fmt.Sprint("old", i)))
	}
	c.deleteBroker(shop.Namespace, shop.Name)
	c.eventually(func() bool { return c.publish(first, shop, "none") == http.StatusNotFound },
		"a deleted Broker accepts nothing")
	c.eventually(func() bool { return c.publish(second, shop, "none") == http.StatusNotFound }, "by no replica")
	_, ok := c.consumers(shop)
	require.False(t, ok, "its stream is deleted")
	for _, r := range []replica{first, second} {
		c.eventually(func() bool { state, err := r.state(t.Context()); return err == nil && state.Events == 0 },
			"metrics go on")
	}

	open.Store(true)
	c.broker(shop.Namespace, shop.Name)
	c.triggerReady(shop.Namespace, "t")
	before := s.counts()
	require.Equal(t, http.StatusAccepted, c.publish(second, shop, "new"))
	c.eventually(func() bool { return s.counts()["new"] == 1 }, "the new Broker delivers")
	after := s.counts()
	delete(after, "new")
	require.Equal(t, before, after, "what waited is gone")
}

func TestBrokersOfTwoNamespacesAreApart(t *testing.T) {
	c := openCluster(t)
	r := c.replica()
	one, two := types.NamespacedName{Namespace: "one", Name: "shop"}, types.NamespacedName{Namespace: "two", Name: "shop"}
	subscribers := map[types.NamespacedName]*subscriber{one: c.subscribe(accepted), two: c.subscribe(accepted)}
	for b, s := range subscribers {
		c.broker(b.Namespace, b.Name)
		c.trigger(b.Namespace, "t", to(t, s.URL))
		c.triggerReady(b.Namespace, "t")
	}
	for b, s := range subscribers {
		require.Equal(t, http.StatusAccepted, c.publish(r, b, b.Namespace))
		c.eventually(func() bool { return s.counts()[b.Namespace] == 1 }, "delivered in its namespace")
	}
	for b, s := range subscribers {
		require.Equal(t, map[string]int{b.Namespace: 1}, s.counts(), "and in no other")
	}
	c.deleteBroker(one.Namespace, one.Name)
	require.Equal(t, http.StatusAccepted, c.publish(r, two, "again"), "the other one stays")
	c.eventually(func() bool { return subscribers[two].counts()["again"] == 1 }, "and delivers")
}

// Events would be kept for a consumer without a Trigger.
func TestTheConsumerOfATriggerIsDeletedWithIt(t *testing.T) {
	c := openCluster(t)
	r := c.replica()
	c.broker(shop.Namespace, shop.Name)
	s := c.subscribe(accepted)
	for _, name := range []string{"stays", "goes"} {
		c.trigger(shop.Namespace, name, to(t, s.URL))
		c.triggerReady(shop.Namespace, name)
	}
	names, _ := c.consumers(shop)
	require.ElementsMatch(t, []string{"stays", "goes"}, names)
	require.NoError(t, c.client.EventingV1().Triggers(shop.Namespace).Delete(t.Context(), "goes", metav1.DeleteOptions{}))
	c.eventually(func() bool { names, _ := c.consumers(shop); return len(names) == 1 && names[0] == "stays" },
		"its consumer is deleted")
	require.Equal(t, http.StatusAccepted, c.publish(r, shop, "1"))
	c.eventually(func() bool { return len(s.counts()) == 1 }, "the other is delivered")
	require.Equal(t, 1, s.counts()["1"])
}

// A change of a Trigger is effective without a restart, and what waits is delivered as it asks now.
func TestAChangedTriggerIsDeliveredAsItAsksNow(t *testing.T) {
	c := openCluster(t)
	r := c.replica()
	c.broker(shop.Namespace, shop.Name)
	before, after := c.subscribe(func(string) int { return http.StatusServiceUnavailable }), c.subscribe(accepted)
	c.trigger(shop.Namespace, "t", to(t, before.URL))
	c.triggerReady(shop.Namespace, "t")
	require.Equal(t, http.StatusAccepted, c.publish(r, shop, "1"))
	c.eventually(func() bool { return before.counts()["1"] > 0 }, "it is delivered")
	trigger, err := c.client.EventingV1().Triggers(shop.Namespace).Get(t.Context(), "t", metav1.GetOptions{})
	require.NoError(t, err)
	trigger.Generation, trigger.Spec.Subscriber = trigger.Generation+1, to(t, after.URL).Subscriber
	_, err = c.client.EventingV1().Triggers(shop.Namespace).Update(t.Context(), trigger, metav1.UpdateOptions{})
	require.NoError(t, err)
	c.eventually(func() bool { return after.counts()["1"] == 1 }, "it is delivered to the new subscriber")
}

// A subscriber may take as long as its Trigger allows.
func TestASlowSubscriberOfAChangedTriggerHoldsUpNoOther(t *testing.T) {
	c := openCluster(t)
	r := c.replica()
	c.broker(shop.Namespace, shop.Name)
	release := make(chan struct{})
	slow := c.subscribe(func(string) int { <-release; return http.StatusOK })
	defer close(release)
	spec, timeout := to(t, slow.URL), "PT60S"
	spec.Delivery.Timeout = &timeout
	c.trigger(shop.Namespace, "slow", spec)
	c.triggerReady(shop.Namespace, "slow")
	require.Equal(t, http.StatusAccepted, c.publish(r, shop, "1"))
	c.eventually(func() bool { return slow.counts()["1"] == 1 }, "it is being delivered")
	require.NoError(t, c.client.EventingV1().Triggers(shop.Namespace).Delete(t.Context(), "slow", metav1.DeleteOptions{}))
	other := c.subscribe(accepted)
	c.trigger(shop.Namespace, "other", to(t, other.URL))
	c.triggerReady(shop.Namespace, "other")
	require.Equal(t, http.StatusAccepted, c.publish(r, shop, "2"))
	require.Eventually(t, func() bool { return other.counts()["2"] == 1 }, 10*time.Second, 5*time.Millisecond)
}

const many = 200

// publishMany publishes events over two replicas in turn.
func (c *cluster) publishMany(replicas ...replica) {
	c.t.Helper()
	var publishing sync.WaitGroup
	for i, r := range replicas {
		publishing.Go(func() {
			for n := i; n < many; n += len(replicas) {
				if status := c.publish(r, shop, fmt.Sprint(n)); status != http.StatusAccepted {
					c.t.Errorf("event %d: %d", n, status)
				}
			}
		})
	}
	publishing.Wait()
}

func TestReplicasShareTheConsumers(t *testing.T) {
	c := openCluster(t)
	first, second := c.replica(), c.replica()
	c.broker(shop.Namespace, shop.Name)
	s := c.subscribe(func(string) int { time.Sleep(10 * time.Millisecond); return http.StatusOK })
	c.trigger(shop.Namespace, "t", to(t, s.URL))
	c.triggerReady(shop.Namespace, "t")
	c.publishMany(first, second)
	c.eventually(func() bool { return len(s.counts()) == many }, "all are delivered")
	for id, n := range s.counts() {
		require.Equal(t, 1, n, "event %s is delivered once", id)
	}
}

// FUN-04: what a replica has in hand when it ends is finished, or delivered by the other one.
func TestAReplicaEndsInMidDeliveryAndNothingIsLost(t *testing.T) {
	for name, end := range map[string]func(replica){"stopped": func(r replica) { r.stop() }, "killed": replica.kill} {
		t.Run(name, func(t *testing.T) {
			c := openCluster(t)
			first, second := c.replica(), c.replica()
			c.broker(shop.Namespace, shop.Name)
			s := c.subscribe(func(string) int { time.Sleep(50 * time.Millisecond); return http.StatusOK })
			c.trigger(shop.Namespace, "t", to(t, s.URL))
			c.triggerReady(shop.Namespace, "t")
			c.publishMany(first, second)
			c.eventually(func() bool { return len(s.counts()) > 10 }, "some are delivered")
			end(first)
			c.eventually(func() bool { return len(s.counts()) == many }, "all are delivered")
			if name == "stopped" {
				for id, n := range s.counts() {
					require.Equal(t, 1, n, "event %s is delivered once", id)
				}
			}
			c.eventually(func() bool { state, err := second.state(t.Context()); return err == nil && state.Lag["t"] == 0 },
				"and acknowledged")
			require.Equal(t, http.StatusAccepted, c.publish(second, shop, "last"))
			c.eventually(func() bool { return s.counts()["last"] == 1 }, "the other replica goes on")
		})
	}
}
