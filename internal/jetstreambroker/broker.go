package jetstreambroker

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	eventingduck "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	brokerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker"
	triggerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger"
	brokerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/broker"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/reconciler"
	"knative.dev/pkg/resolver"

	"github.com/popup-shop/popup/internal/jetstream"
)

// finalizer keeps a Broker until its stream is deleted.
const finalizer = "jetstream.popup.shop"

// conditions are those of a Broker of our class: it has no channel and no filter of its own.
var conditions = apis.NewLivingConditionSet(
	eventingv1.BrokerConditionIngress, eventingv1.BrokerConditionAddressable, eventingv1.BrokerConditionDeadLetterSinkResolved,
)

// brokerReconciler sets the status of Brokers.
type brokerReconciler struct {
	plane    *plane
	host     string
	resolver *resolver.URIResolver
}

func newBrokerController(ctx context.Context, p *plane, s Settings) *controller.Impl {
	eventingv1.RegisterAlternateBrokerConditionSet(conditions)
	r := &brokerReconciler{plane: p, host: s.Host}
	impl := brokerreconciler.NewImpl(ctx, r, Class, func(*controller.Impl) controller.Options {
		return controller.Options{FinalizerName: finalizer}
	})
	r.resolver = resolver.NewURIResolverFromTracker(ctx, impl.Tracker)
	ofOurClass := reconciler.AnnotationFilterFunc(brokerreconciler.ClassAnnotationKey, Class, false)
	_, _ = brokerinformer.Get(ctx).Informer().AddEventHandler(filtered(ofOurClass, impl.Enqueue))
	_, _ = triggerinformer.Get(ctx).Informer().AddEventHandler(controller.HandleAll(func(object any) {
		if t, ok := object.(*eventingv1.Trigger); ok { // a deleted one leaves a consumer
			impl.EnqueueKey(key(t, t.Spec.Broker))
		}
	}))
	return impl
}

// ReconcileKind makes the stream of a Broker and sets its address.
func (r *brokerReconciler) ReconcileKind(ctx context.Context, b *eventingv1.Broker) reconciler.Event {
	manage := b.GetConditionSet().Manage(&b.Status)
	open, err := r.plane.broker(ctx, key(b, b.Name))
	if err != nil {
		manage.MarkFalse(eventingv1.BrokerConditionIngress, "NoStream", "%v", err)
		return err
	}
	deleted, err := r.deleteOrphans(ctx, b, open)
	if err != nil {
		manage.MarkFalse(eventingv1.BrokerConditionIngress, "NoStream", "%v", err)
		return err
	}
	manage.MarkTrue(eventingv1.BrokerConditionIngress)
	b.Status.SetAddress(&duckv1.Addressable{
		URL: &apis.URL{Scheme: "http", Host: r.host, Path: fmt.Sprintf("/%s/%s", b.Namespace, b.Name)},
	})
	r.plane.notify()
	if err := r.resolveDeadLetterSink(ctx, b); err != nil {
		return err
	}
	if deleted > 0 {
		return later // a replica that did not know yet that the Trigger is gone may make its consumer again
	}
	return nil
}

// deleteOrphans deletes the consumers whose Trigger is gone, and returns how many. Only the leader does: it alone makes
// those of new Triggers.
func (r *brokerReconciler) deleteOrphans(
	ctx context.Context, b *eventingv1.Broker, open *jetstream.Broker,
) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	consumers, err := open.Consumers(ctx)
	if err != nil {
		return 0, err
	}
	triggers, err := r.plane.triggers.Triggers(b.Namespace).List(labels.Everything())
	if err != nil {
		return 0, err
	}
	orphans := map[string]bool{}
	for _, name := range consumers {
		orphans[name] = true
	}
	for _, t := range triggers {
		if t.Spec.Broker == b.Name {
			delete(orphans, consumerOf(t.Name))
		}
	}
	for name := range orphans {
		if err := open.Remove(ctx, name); err != nil {
			return 0, err
		}
	}
	return len(orphans), nil
}

func (r *brokerReconciler) resolveDeadLetterSink(ctx context.Context, b *eventingv1.Broker) error {
	if b.Spec.Delivery == nil || b.Spec.Delivery.DeadLetterSink == nil {
		b.Status.MarkDeadLetterSinkNotConfigured()
		return nil
	}
	sink := *b.Spec.Delivery.DeadLetterSink.DeepCopy()
	if sink.Ref != nil && sink.Ref.Namespace == "" {
		sink.Ref.Namespace = b.Namespace
	}
	address, err := r.resolver.AddressableFromDestinationV1(ctx, sink, b)
	if err != nil {
		b.Status.MarkDeadLetterSinkResolvedFailed("UnknownDeadLetterSink", "%v", err)
		return later
	}
	b.Status.MarkDeadLetterSinkResolvedSucceeded(eventingduck.NewDeliveryStatusFromAddressable(address))
	return nil
}

// FinalizeKind deletes the stream of a Broker that is deleted.
func (r *brokerReconciler) FinalizeKind(ctx context.Context, b *eventingv1.Broker) reconciler.Event {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r.plane.sync(ctx)
	open, err := r.plane.broker(ctx, key(b, b.Name))
	if err != nil {
		return err
	}
	if err := open.Delete(ctx); err != nil {
		return err
	}
	r.plane.forget(key(b, b.Name))
	return nil
}
