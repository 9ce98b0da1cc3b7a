package jetstreambroker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"
	eventingduck "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"

	"github.com/popup-shop/popup/internal/jetstream"
)

type filter = eventingv1.SubscriptionsAPIFilter

func trigger(filters ...filter) *eventingv1.Trigger {
	return &eventingv1.Trigger{Spec: eventingv1.TriggerSpec{Filters: filters}}
}

func is(name, value string) filter { return filter{Exact: map[string]string{name: value}} }

func TestEveryDialectIsEvaluated(t *testing.T) {
	t.Parallel()
	attributes := map[string]string{"specversion": "1.0", "id": "1", "type": "order.placed", "source": "/shop", "subject": "7"}
	not := is("type", "order.placed")
	for name, c := range map[string]struct {
		filter filter
		want   bool
	}{
		"exact":         {is("type", "order.placed"), true},
		"another":       {is("type", "order.paid"), false},
		"prefix":        {filter{Prefix: map[string]string{"type": "order."}}, true},
		"suffix":        {filter{Suffix: map[string]string{"type": ".paid"}}, false},
		"all":           {filter{All: []filter{is("subject", "7"), is("source", "/shop")}}, true},
		"any":           {filter{Any: []filter{is("subject", "8"), is("source", "/shop")}}, true},
		"not":           {filter{Not: &not}, false},
		"cesql":         {filter{CESQL: "type LIKE 'order.%' AND subject = '7'"}, true},
		"cesql, no":     {filter{CESQL: "subject = '8'"}, false},
		"missing":       {is("other", "x"), false},
		"cesql, inside": {filter{Any: []filter{is("type", "x"), {CESQL: "EXISTS subject"}}}, true},
	} {
		f, err := filterOf(trigger(c.filter))
		require.NoError(t, err, name)
		require.Equal(t, c.want, f.Pass(attributes), name)
		f.close()
	}
}

// Its consumer receives only the types that may pass; with CESQL any may.
func TestAConsumerReceivesTheTypesThatItsFilterNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		filters []filter
		want    []string
	}{
		{nil, nil},
		{[]filter{is("type", "a")}, []string{"a"}},
		{[]filter{{Any: []filter{is("type", "a"), is("type", "b")}}}, []string{"a", "b"}},
		{[]filter{{Any: []filter{is("type", "a"), {CESQL: "true"}}}}, nil},
	} {
		f, err := filterOf(trigger(c.filters...))
		require.NoError(t, err)
		require.Equal(t, c.want, f.Types())
		f.close()
	}
	older := &eventingv1.Trigger{Spec: eventingv1.TriggerSpec{Filter: &eventingv1.TriggerFilter{
		Attributes: eventingv1.TriggerFilterAttributes{"type": "a", "source": ""},
	}}}
	f, err := filterOf(older)
	require.NoError(t, err)
	defer f.close()
	require.Equal(t, []string{"a"}, f.Types())
}

// Eventing leaves a filter out that it can't evaluate, and then all events pass.
func TestABrokenFilterIsAnError(t *testing.T) {
	t.Parallel()
	broken := filter{CESQL: "type = = 'x'"}
	for name, f := range map[string]filter{
		"cesql": broken, "empty": {}, "inside all": {All: []filter{is("type", "a"), broken}}, "inside any": {Any: []filter{{}}},
		"inside not": {Not: &broken}, "no name": {Exact: map[string]string{"": "x"}},
	} {
		_, err := filterOf(trigger(f))
		require.Error(t, err, name)
	}
}

func TestATriggersDeliveryCountsMoreThanItsBrokers(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	number := func(n int32) *int32 { return &n }
	linear := eventingduck.BackoffPolicyLinear
	got, err := deliveryOf(
		&eventingduck.DeliverySpec{
			Retry: number(3), BackoffPolicy: &linear, BackoffDelay: text("PT0.5S"), Timeout: text("PT45S"),
		},
		&eventingduck.DeliverySpec{Retry: number(8), RetryAfterMax: text("PT0S")},
	)
	require.NoError(t, err)
	require.Equal(t, jetstream.Delivery{
		Retry: 8, Backoff: jetstream.Linear, Delay: 500 * time.Millisecond, Timeout: 45 * time.Second, MaxRetryAfter: jetstream.IgnoreRetryAfter,
	}, got)
	_, err = deliveryOf(nil, &eventingduck.DeliverySpec{Timeout: text("45s")})
	require.ErrorContains(t, err, "delivery.timeout")
}

func TestTwoBrokersNeverShareAStream(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	all := []types.NamespacedName{
		{Namespace: "a", Name: "b-c"}, {Namespace: "a-b", Name: "c"}, {Namespace: "a", Name: "b.c"}, {Namespace: "a", Name: "b"}, {Namespace: "b", Name: "a"},
	}
	for _, k := range all {
		names[streamOf(k)] = true
	}
	require.Len(t, names, len(all))
}
