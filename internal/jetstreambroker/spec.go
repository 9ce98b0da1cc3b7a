package jetstreambroker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rickb777/date/period"
	"go.uber.org/zap"
	eventingduck "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/eventfilter"
	"knative.dev/eventing/pkg/eventfilter/subscriptionsapi"

	"github.com/popup-shop/popup/internal/jetstream"
)

// triggerOf returns how the events of a Trigger are delivered. What its delivery does not set is as its Broker has it.
func triggerOf(b *eventingv1.Broker, t *eventingv1.Trigger, filter jetstream.Filter) (jetstream.Trigger, error) {
	delivery, err := deliveryOf(b.Spec.Delivery, t.Spec.Delivery)
	if err != nil {
		return jetstream.Trigger{}, err
	}
	if sink := t.Status.DeadLetterSinkURI; sink != nil {
		delivery.DeadLetterSink = sink.String()
	}
	return jetstream.Trigger{
		Name: consumerOf(t.Name), Subscriber: t.Status.SubscriberURI.String(), Filter: filter, Delivery: delivery,
	}, nil
}

// deliveryOf returns what the first of several specs sets; the last one counts most.
func deliveryOf(specs ...*eventingduck.DeliverySpec) (d jetstream.Delivery, err error) {
	for _, s := range specs {
		if s == nil {
			continue
		}
		if s.Retry != nil {
			d.Retry = int(*s.Retry)
		}
		if s.BackoffPolicy != nil {
			d.Backoff = jetstream.Backoff(*s.BackoffPolicy)
		}
		if err := readDurations(s, &d); err != nil {
			return d, err
		}
	}
	return d, nil
}

// readDurations reads the durations that a spec sets, ISO 8601.
func readDurations(s *eventingduck.DeliverySpec, d *jetstream.Delivery) error {
	for _, field := range []struct {
		name string
		text *string
		into *time.Duration
	}{
		{"backoffDelay", s.BackoffDelay, &d.Delay}, {"timeout", s.Timeout, &d.Timeout}, {"retryAfterMax", s.RetryAfterMax, &d.MaxRetryAfter},
	} {
		if field.text == nil {
			continue
		}
		p, err := period.Parse(*field.text)
		if err != nil {
			return fmt.Errorf("delivery.%s %q: %w", field.name, *field.text, err)
		}
		*field.into, _ = p.Duration()
	}
	if s.RetryAfterMax != nil && d.MaxRetryAfter == 0 {
		d.MaxRetryAfter = jetstream.IgnoreRetryAfter
	}
	return nil
}

// subscriptions are the filters of a Trigger, evaluated as eventing does.
type subscriptions struct {
	filter eventfilter.Filter
	types  jetstream.Subscriptions
}

// parsing is held while filters are made: the parser of CESQL shares tables that are not safe for concurrent use.
var parsing sync.Mutex

// filterOf returns the filter of a Trigger, which must be closed, or an error that names what is wrong with it.
func filterOf(t *eventingv1.Trigger) (*subscriptions, error) {
	filters := t.Spec.Filters
	if len(filters) == 0 && t.Spec.Filter != nil {
		filters = exact(t.Spec.Filter.Attributes)
	}
	parsing.Lock()
	defer parsing.Unlock()
	if err := checkAll(filters); err != nil {
		return nil, err
	}
	return &subscriptions{
		filter: subscriptionsapi.CreateSubscriptionsAPIFilters(zap.NewNop(), filters), types: subscriptionsOf(filters),
	}, nil
}

// exact returns the older form of a filter as the newer one: every attribute is exact, and an empty one is anything.
func exact(attributes eventingv1.TriggerFilterAttributes) (filters []eventingv1.SubscriptionsAPIFilter) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if value := attributes[name]; value != eventingv1.TriggerAnyFilter {
			filters = append(filters, eventingv1.SubscriptionsAPIFilter{Exact: map[string]string{name: value}})
		}
	}
	return filters
}

// checkAll returns an error for the first filter that can't be evaluated: eventing would leave it out, and all events
// pass.
func checkAll(filters []eventingv1.SubscriptionsAPIFilter) error {
	for _, f := range filters {
		if err := check(f); err != nil {
			return err
		}
	}
	return nil
}

func check(f eventingv1.SubscriptionsAPIFilter) (err error) {
	switch {
	case len(f.Exact) > 0:
		_, err = subscriptionsapi.NewExactFilter(f.Exact)
	case len(f.Prefix) > 0:
		_, err = subscriptionsapi.NewPrefixFilter(f.Prefix)
	case len(f.Suffix) > 0:
		_, err = subscriptionsapi.NewSuffixFilter(f.Suffix)
	case len(f.All) > 0:
		err = checkAll(f.All)
	case len(f.Any) > 0:
		err = checkAll(f.Any)
	case f.Not != nil:
		err = check(*f.Not)
	case f.CESQL != "":
		err = checkCESQL(f.CESQL)
	default:
		err = errors.New("a filter is empty")
	}
	return err
}

// checkCESQL returns an error when an expression can't be parsed: the parser panics at some of them.
func checkCESQL(expression string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("filter cesql %q can't be parsed", expression)
		}
	}()
	if _, err := subscriptionsapi.NewCESQLFilter(expression); err != nil {
		return fmt.Errorf("filter cesql %q: %w", expression, err)
	}
	return nil
}

func subscriptionsOf(filters []eventingv1.SubscriptionsAPIFilter) (all jetstream.Subscriptions) {
	for _, f := range filters {
		s := jetstream.Subscription{
			Exact: f.Exact, Prefix: f.Prefix, Suffix: f.Suffix, All: subscriptionsOf(f.All), Any: subscriptionsOf(f.Any),
		}
		if f.Not != nil {
			s.Not = &subscriptionsOf([]eventingv1.SubscriptionsAPIFilter{*f.Not})[0]
		}
		all = append(all, s)
	}
	return all
}

// Pass reports whether an event with these attributes passes.
func (s *subscriptions) Pass(attributes map[string]string) bool {
	c, err := jetstream.Event{Attributes: attributes}.CloudEvent()
	return err == nil && s.filter.Filter(context.Background(), c) != eventfilter.FailFilter
}

// Types returns the types of the events that may pass; nil when any may.
func (s *subscriptions) Types() []string { return s.types.Types() }

func (s *subscriptions) close() { s.filter.Cleanup() }
