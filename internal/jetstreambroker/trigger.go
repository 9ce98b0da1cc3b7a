package jetstreambroker

import (
	"context"
	"fmt"
	"time"

	apierrs "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
	eventingduck "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/eventing/pkg/apis/eventing"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	brokerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker"
	triggerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger"
	triggerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/trigger"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/reconciler"
	"knative.dev/pkg/resolver"
)

// triggerReconciler sets the status of the Triggers of our Brokers.
type triggerReconciler struct {
	plane    *plane
	resolver *resolver.URIResolver
}

func newTriggerController(ctx context.Context, p *plane) *controller.Impl {
	r := &triggerReconciler{plane: p}
	impl := triggerreconciler.NewImpl(ctx, r, func(*controller.Impl) controller.Options {
		return controller.Options{PromoteFilterFunc: p.isOfOurs}
	})
	r.resolver = resolver.NewURIResolverFromTracker(ctx, impl.Tracker)
	_, _ = triggerinformer.Get(ctx).Informer().AddEventHandler(filtered(p.isOfOurs, impl.Enqueue))
	_, _ = brokerinformer.Get(ctx).Informer().AddEventHandler(controller.HandleAll(func(object any) {
		if b, ok := object.(*eventingv1.Broker); ok {
			p.eachTrigger(b, func(t *eventingv1.Trigger) { impl.Enqueue(t) })
		}
	}))
	return impl
}

func filtered(filter func(any) bool, handle func(any)) cache.ResourceEventHandler {
	return cache.FilteringResourceEventHandler{FilterFunc: filter, Handler: controller.HandleAll(handle)}
}

// watch has the plane look again whenever a Broker or a Trigger changes.
func watch(ctx context.Context, p *plane) {
	changed := controller.HandleAll(func(any) { p.notify() })
	_, _ = brokerinformer.Get(ctx).Informer().AddEventHandler(changed)
	_, _ = triggerinformer.Get(ctx).Informer().AddEventHandler(changed)
}

// isOfOurs reports whether an object is a Trigger of a Broker of our class, or of none.
func (p *plane) isOfOurs(object any) bool {
	t, ok := object.(*eventingv1.Trigger)
	if !ok {
		return false
	}
	b, err := p.brokers.Brokers(t.Namespace).Get(t.Spec.Broker)
	return err == nil && ours(b)
}

func (p *plane) eachTrigger(b *eventingv1.Broker, do func(*eventingv1.Trigger)) {
	all, err := p.triggers.Triggers(b.Namespace).List(labels.SelectorFromSet(labels.Set{eventing.BrokerLabelKey: b.Name}))
	if err != nil {
		p.log.Error("list triggers", "broker", b.Name, "error", err)
	}
	for _, t := range all {
		do(t)
	}
}

// ReconcileKind resolves the addresses of a Trigger and makes its consumer.
func (r *triggerReconciler) ReconcileKind(ctx context.Context, t *eventingv1.Trigger) reconciler.Event {
	b, err := r.plane.brokers.Brokers(t.Namespace).Get(t.Spec.Broker)
	switch {
	case apierrs.IsNotFound(err):
		t.Status.MarkBrokerFailed("BrokerDoesNotExist", "Broker %q does not exist", t.Spec.Broker)
		return nil
	case err != nil:
		return err
	case !ours(b):
		return nil
	}
	t.Status.PropagateBrokerCondition(b.Status.GetTopLevelCondition())
	if !b.IsReady() {
		return nil // its change brings us back
	}
	if err := r.resolveSubscriber(ctx, t); err != nil {
		return err
	}
	if err := r.resolveDeadLetterSink(ctx, b, t); err != nil {
		return err
	}
	markDependency(t)
	t.Status.MarkOIDCIdentityCreatedSucceededWithReason("NotUsed", "a broker of class %s delivers without an identity",
		Class)
	return r.subscribe(ctx, b, t)
}

// later has a Trigger or Broker looked at again: its status says what is missing.
var later = controller.NewRequeueAfter(10 * time.Second)

func (r *triggerReconciler) resolveSubscriber(ctx context.Context, t *eventingv1.Trigger) error {
	subscriber := *t.Spec.Subscriber.DeepCopy()
	if subscriber.Ref != nil && subscriber.Ref.Namespace == "" {
		subscriber.Ref.Namespace = t.Namespace
	}
	address, err := r.resolver.AddressableFromDestinationV1(ctx, subscriber, t)
	if err != nil {
		t.Status.MarkSubscriberResolvedFailed("UnknownSubscriber", "%v", err)
		t.Status.SubscriberURI, t.Status.SubscriberCACerts, t.Status.SubscriberAudience = nil, nil, nil
		return later
	}
	t.Status.SubscriberURI, t.Status.SubscriberCACerts, t.Status.SubscriberAudience = address.URL, address.CACerts, address.Audience
	t.Status.MarkSubscriberResolvedSucceeded()
	return nil
}

// resolveDeadLetterSink resolves the Trigger's own sink, or takes its Broker's.
func (r *triggerReconciler) resolveDeadLetterSink(
	ctx context.Context, b *eventingv1.Broker, t *eventingv1.Trigger,
) error {
	t.Status.DeliveryStatus = eventingduck.DeliveryStatus{}
	switch {
	case t.Spec.Delivery != nil && t.Spec.Delivery.DeadLetterSink != nil:
		sink := *t.Spec.Delivery.DeadLetterSink.DeepCopy()
		if sink.Ref != nil && sink.Ref.Namespace == "" {
			sink.Ref.Namespace = t.Namespace
		}
		address, err := r.resolver.AddressableFromDestinationV1(ctx, sink, t)
		if err != nil {
			t.Status.MarkDeadLetterSinkResolvedFailed("UnknownDeadLetterSink", "%v", err)
			return later
		}
		t.Status.DeliveryStatus = eventingduck.NewDeliveryStatusFromAddressable(address)
		t.Status.MarkDeadLetterSinkResolvedSucceeded()
	case b.Status.DeliveryStatus.IsSet():
		t.Status.DeliveryStatus = b.Status.DeliveryStatus
		t.Status.MarkDeadLetterSinkResolvedSucceeded()
	default:
		t.Status.MarkDeadLetterSinkNotConfigured()
	}
	return nil
}

// dependencyAnnotation names a source without which a Trigger is not ready.
const dependencyAnnotation = "knative.dev/dependency"

func markDependency(t *eventingv1.Trigger) {
	if _, ok := t.Annotations[dependencyAnnotation]; ok {
		t.Status.MarkDependencyUnknown("NotSupported", "a broker of class %s does not watch dependencies", Class)
		return
	}
	t.Status.MarkDependencySucceeded()
}

// subscribe makes the consumer of a Trigger: what is published from now on is kept for it.
func (r *triggerReconciler) subscribe(ctx context.Context, b *eventingv1.Broker, t *eventingv1.Trigger) error {
	filter, err := filterOf(t)
	if err != nil {
		t.Status.MarkNotSubscribed("InvalidFilter", "%v", err)
		return controller.NewPermanentError(fmt.Errorf("trigger %s: %w", t.Name, err))
	}
	defer filter.close()
	trigger, err := triggerOf(b, t, filter)
	if err != nil {
		t.Status.MarkNotSubscribed("InvalidDelivery", "%v", err)
		return controller.NewPermanentError(fmt.Errorf("trigger %s: %w", t.Name, err))
	}
	open, err := r.plane.broker(ctx, key(b, b.Name))
	if err == nil {
		err = open.Make(ctx, trigger)
	}
	if err != nil {
		t.Status.MarkNotSubscribed("NoConsumer", "%v", err)
		return err
	}
	t.Status.PropagateSubscriptionCondition(ready)
	r.plane.notify()
	return nil
}
