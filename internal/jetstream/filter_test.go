package jetstream_test

import (
	"context"
	"slices"
	"testing"

	"go.uber.org/zap"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/eventfilter"
	"knative.dev/eventing/pkg/eventfilter/subscriptionsapi"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/jetstream"
)

var (
	attributeNames = []string{"type", "source", "subject", "ext"}
	values         = []string{"a", "ab", "b", "ba", "abc"}
)

// leaf draws one attribute and a value for it, as the API demands of exact, prefix and suffix.
func leaf(t *rapid.T) map[string]string {
	return map[string]string{rapid.SampledFrom(attributeNames).Draw(t, "name"): rapid.SampledFrom(values).Draw(t, "value")}
}

func subscription(t *rapid.T, depth int) jetstream.Subscription {
	kinds := 3
	if depth > 0 {
		kinds = 6
	}
	inner := func() (all []jetstream.Subscription) {
		for range rapid.IntRange(1, 3).Draw(t, "inner") {
			all = append(all, subscription(t, depth-1))
		}
		return all
	}
	switch rapid.IntRange(1, kinds).Draw(t, "kind") {
	case 1:
		return jetstream.Subscription{Exact: leaf(t)}
	case 2:
		return jetstream.Subscription{Prefix: leaf(t)}
	case 3:
		return jetstream.Subscription{Suffix: leaf(t)}
	case 4:
		return jetstream.Subscription{All: inner()}
	case 5:
		return jetstream.Subscription{Any: inner()}
	}
	return jetstream.Subscription{Not: &inner()[0]}
}

// knative returns a filter as eventing has it.
func knative(s jetstream.Subscription) eventingv1.SubscriptionsAPIFilter {
	f := eventingv1.SubscriptionsAPIFilter{Exact: s.Exact, Prefix: s.Prefix, Suffix: s.Suffix}
	for _, inner := range s.All {
		f.All = append(f.All, knative(inner))
	}
	for _, inner := range s.Any {
		f.Any = append(f.Any, knative(inner))
	}
	if s.Not != nil {
		not := knative(*s.Not)
		f.Not = &not
	}
	return f
}

// The laptop's filters pass what eventing's pass, and the subjects of a consumer hold every event that passes.
func TestFiltersPassWhatThoseOfEventingPass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var ours jetstream.Subscriptions
		var theirs []eventingv1.SubscriptionsAPIFilter
		for range rapid.IntRange(0, 2).Draw(t, "filters") {
			s := subscription(t, 2)
			ours, theirs = append(ours, s), append(theirs, knative(s))
		}
		attributes := map[string]string{"specversion": "1.0", "id": "1"}
		for _, name := range attributeNames {
			if name == "type" || name == "source" || rapid.Bool().Draw(t, "has") {
				attributes[name] = rapid.SampledFrom(values).Draw(t, "value")
			}
		}
		c, err := jetstream.Event{Attributes: attributes}.CloudEvent()
		if err != nil {
			t.Fatal(err)
		}
		filter := subscriptionsapi.CreateSubscriptionsAPIFilters(zap.NewNop(), theirs)
		defer filter.Cleanup()
		want := filter.Filter(context.Background(), c) != eventfilter.FailFilter
		if got := ours.Pass(attributes); got != want {
			t.Fatalf("%+v passes %v: %v, eventing: %v", ours, attributes, got, want)
		}
		if types := ours.Types(); want && types != nil && !slices.Contains(types, attributes["type"]) {
			t.Fatalf("%+v: no consumer for %v in %v", ours, attributes["type"], types)
		}
	})
}
