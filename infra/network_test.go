package infra

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// pod is one end of a connection.
type pod struct {
	namespace string
	labels    labels.Set
}

func matches(t *testing.T, selector *metav1.LabelSelector, set labels.Set) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	require.NoError(t, err)
	return s.Matches(set)
}

// chooses reports whether a peer of a policy in a namespace is this pod.
func chooses(t *testing.T, peer networkingv1.NetworkPolicyPeer, namespace string, p pod) bool {
	t.Helper()
	if peer.NamespaceSelector == nil && p.namespace != namespace || peer.IPBlock != nil {
		return false
	}
	name := labels.Set{"kubernetes.io/metadata.name": p.namespace}
	return (peer.NamespaceSelector == nil || matches(t, peer.NamespaceSelector, name)) &&
		(peer.PodSelector == nil || matches(t, peer.PodSelector, p.labels))
}

// admits reports whether network policies let a connection in at a port.
func admits(t *testing.T, policies []*networkingv1.NetworkPolicy, from, to pod, port int) bool {
	t.Helper()
	closed := false
	for _, policy := range policies {
		if policy.Namespace != to.namespace || !slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) ||
			!matches(t, &policy.Spec.PodSelector, to.labels) {
			continue
		}
		closed = true
		for _, rule := range policy.Spec.Ingress {
			peer := len(rule.From) == 0 || slices.ContainsFunc(rule.From,
				func(p networkingv1.NetworkPolicyPeer) bool { return chooses(t, p, policy.Namespace, from) })
			open := len(rule.Ports) == 0 || slices.ContainsFunc(rule.Ports,
				func(p networkingv1.NetworkPolicyPort) bool { return p.Port.IntValue() == port })
			if peer && open {
				return true
			}
		}
	}
	return !closed
}

// OPS-51: events come from functions only; the schedule calls its functions directly.
func TestOnlyFunctionsReachTheIngressOfTheBroker(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays {
		policies := each[*networkingv1.NetworkPolicy](build(t, overlay))
		broker := pod{"jetstream-broker", labels.Set{"app.kubernetes.io/name": "jetstream-broker"}}
		function := labels.Set{"serving.knative.dev/service": "place-order", "app.kubernetes.io/part-of": "popup"}
		for name, c := range map[string]struct {
			from pod
			port int
			want bool
		}{
			"a function":                        {pod{"shop", function}, 8080, true},
			"a function, to the metrics":        {pod{"shop", function}, 9090, false},
			"Postgres":                          {pod{"shop", labels.Set{"app.kubernetes.io/name": "postgres"}}, 8080, false},
			"the command popup":                 {pod{"shop", labels.Set{"app.kubernetes.io/name": "popup", "app.kubernetes.io/part-of": "popup"}}, 8080, false},
			"another namespace":                 {pod{"default", nil}, 8080, false},
			"another namespace, as a function":  {pod{"default", function}, 8080, false},
			"another replica, or its namespace": {pod{"jetstream-broker", broker.labels}, 8080, false},
		} {
			require.Equal(t, c.want, admits(t, policies, c.from, broker, c.port), "%s: %s", overlay, name)
		}
	}
}
