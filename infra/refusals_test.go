package infra

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	sourcesv1 "knative.dev/eventing/pkg/apis/sources/v1"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// A check that cannot fail proves nothing: each is fed a good object with one thing broken.

func TestAMisspeltManifestIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"unknown field": "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\nspec: {tempalte: {}}",
		"unknown kind":  "apiVersion: serving.knative.dev/v1\nkind: Servise\nmetadata: {name: a}",
		"field twice":   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\ndata: {a: c}",
	} {
		_, err := decode([]byte(text))
		require.Error(t, err, name)
	}
}

func TestABrokenFunctionIsRefused(t *testing.T) {
	t.Parallel()
	good := each[*servingv1.Service](build(t, "kind"))[0]
	for name, c := range map[string]struct {
		breaks func(*servingv1.Service, *corev1.Container)
		check  func(*servingv1.Service) error
		says   string
	}{
		"error":             {func(_ *servingv1.Service, c *corev1.Container) { c.Image = "" }, accepted, "image"},
		"warning":           {func(_ *servingv1.Service, c *corev1.Container) { c.SecurityContext.RunAsNonRoot = nil }, accepted, "insecure"},
		"unknown scaling":   {func(s *servingv1.Service, _ *corev1.Container) { annotate(s, "minimum-scale") }, scalingKnown, "unknown"},
		"misplaced scaling": {func(s *servingv1.Service, _ *corev1.Container) { s.Annotations = annotations("min-scale") }, scalingKnown, "template"},
		"root":              {func(_ *servingv1.Service, c *corev1.Container) { c.SecurityContext.RunAsNonRoot = nil }, level, "root"},
		"writable disk":     {func(_ *servingv1.Service, c *corev1.Container) { c.SecurityContext.ReadOnlyRootFilesystem = nil }, level, "disk"},
		"escalation":        {func(_ *servingv1.Service, c *corev1.Container) { c.SecurityContext.AllowPrivilegeEscalation = nil }, level, "gain"},
		"capabilities":      {func(_ *servingv1.Service, c *corev1.Container) { c.SecurityContext.Capabilities = nil }, level, "capabilities"},
		"no seccomp":        {func(_ *servingv1.Service, c *corev1.Container) { c.SecurityContext.SeccompProfile = nil }, level, "seccomp"},
		"no security":       {func(_ *servingv1.Service, c *corev1.Container) { c.SecurityContext = nil }, level, "root"},
		"token": {func(s *servingv1.Service, _ *corev1.Container) {
			s.Spec.Template.Spec.AutomountServiceAccountToken = nil
		}, level, "token"},
		"no probe":       {func(_ *servingv1.Service, c *corev1.Container) { c.ReadinessProbe = nil }, common, "readiness"},
		"hasty probe":    {func(_ *servingv1.Service, c *corev1.Container) { c.ReadinessProbe.PeriodSeconds = 0 }, common, "period"},
		"no limits":      {func(_ *servingv1.Service, c *corev1.Container) { c.Resources.Limits = nil }, common, "limit of memory"},
		"no environment": {func(_ *servingv1.Service, c *corev1.Container) { c.EnvFrom = nil }, common, "database"},
		"no keys":        {func(_ *servingv1.Service, c *corev1.Container) { c.EnvFrom = c.EnvFrom[:2] }, common, "verify"},
		"key of tokens": {func(_ *servingv1.Service, c *corev1.Container) {
			c.Env = append(c.Env, secretOf("popup-tokens", "TOKEN_KEYS"))
		}, secretsKept, "is given TOKEN_KEYS"},
		"key of pictures": {func(_ *servingv1.Service, c *corev1.Container) {
			c.Env = append(c.Env, secretOf("popup-pictures", "S3_SECRET"))
		}, secretsKept, "is given S3_SECRET"},
		"lost secret":     {func(s *servingv1.Service, _ *corev1.Container) { s.Name = "edit-catalogue" }, secretsKept, "lacks S3_SECRET"},
		"plain secret":    {plainSecret, secretsKept, "not by reference"},
		"no concurrency":  {func(s *servingv1.Service, _ *corev1.Container) { s.Spec.Template.Spec.ContainerConcurrency = nil }, common, "concurrent"},
		"no scale bound":  {func(s *servingv1.Service, _ *corev1.Container) { s.Spec.Template.Annotations = nil }, common, "upper"},
		"public":          {func(s *servingv1.Service, _ *corev1.Container) { s.Labels = nil }, public, "cluster-local"},
		"private gateway": {func(s *servingv1.Service, _ *corev1.Container) { s.Name = "serve-gateway" }, public, "cluster-local"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := good.DeepCopy()
			require.NoError(t, c.check(broken))
			c.breaks(broken, &broken.Spec.Template.Spec.Containers[0])
			require.ErrorContains(t, c.check(broken), c.says)
		})
	}
}

func TestAGatewayOrFunctionWithoutItsSettingsIsRefused(t *testing.T) {
	t.Parallel()
	all := build(t, "kind")
	gateway, shared := serviceOf(all, "serve-gateway"), settings(all)
	for name, c := range map[string]struct {
		breaks func(s *servingv1.Service, shared map[string]string)
		check  func(s *servingv1.Service, shared map[string]string) error
		says   string
	}{
		"no memory limit":     {func(_ *servingv1.Service, m map[string]string) { delete(m, "GOMEMLIMIT") }, memoryKnown, "GOMEMLIMIT"},
		"all of the memory":   {func(_ *servingv1.Service, m map[string]string) { m["GOMEMLIMIT"] = "128MiB" }, memoryKnown, "100 %"},
		"no hops":             {func(_ *servingv1.Service, m map[string]string) { delete(m, "TRUSTED_HOPS") }, hopsKnown, "TRUSTED_HOPS"},
		"too few hops":        {func(_ *servingv1.Service, m map[string]string) { m["TRUSTED_HOPS"] = "1" }, hopsKnown, "3"},
		"no activator":        {func(s *servingv1.Service, _ map[string]string) { s.Spec.Template.Annotations = nil }, hopsKnown, "activator"},
		"a name alone":        {func(_ *servingv1.Service, m map[string]string) { m["FUNCTION_URL"] = "http://{function}" }, reachable, "serve-gateway.shop"},
		"a foreign namespace": {func(s *servingv1.Service, _ map[string]string) { s.Namespace = "other" }, reachable, "serve-gateway.other"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken, changed := gateway.DeepCopy(), maps.Clone(shared)
			require.NoError(t, c.check(broken, changed))
			c.breaks(broken, changed)
			require.ErrorContains(t, c.check(broken, changed), c.says)
		})
	}
}

func secretOf(secret, key string) corev1.EnvVar {
	from := &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key}
	return corev1.EnvVar{Name: key, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: from}}
}

func plainSecret(s *servingv1.Service, c *corev1.Container) {
	s.Name, c.Env = "send-email", []corev1.EnvVar{{Name: "SMTP_URL", Value: "smtps://user:password@mail.example"}}
}

func TestABrokenWayOutIsRefused(t *testing.T) {
	t.Parallel()
	policies := each[*networkingv1.NetworkPolicy](build(t, "kind"))
	good := policies[slices.IndexFunc(policies, func(p *networkingv1.NetworkPolicy) bool { return p.Name == "ask-outside" })]
	require.NoError(t, outsideOnly(good))
	for says, breaks := range map[string]func(*networkingv1.NetworkPolicySpec){
		"for others":       func(s *networkingv1.NetworkPolicySpec) { s.PodSelector.MatchExpressions[0].Values[0] = "serve-gateway" },
		"than those":       func(s *networkingv1.NetworkPolicySpec) { s.PodSelector.MatchExpressions = nil },
		"not allow TLS":    func(s *networkingv1.NetworkPolicySpec) { s.Egress[0].Ports = s.Egress[0].Ports[1:] },
		"addresses inside": func(s *networkingv1.NetworkPolicySpec) { s.Egress[0].To[0].IPBlock.Except = nil },
	} {
		broken := good.DeepCopy()
		breaks(&broken.Spec)
		require.ErrorContains(t, outsideOnly(broken), says)
	}
}

func accepted(service *servingv1.Service) error { return acceptedByKnative(service) }
func public(service *servingv1.Service) error   { return privateButGateway(service) }
func level(service *servingv1.Service) error {
	return restricted(service.Name, service.Spec.Template.Spec.PodSpec)
}

func annotations(key string) map[string]string {
	return map[string]string{"autoscaling.knative.dev/" + key: "1"}
}

func annotate(service *servingv1.Service, key string) {
	service.Spec.Template.Annotations = annotations(key)
}

func TestABrokenTriggerIsRefused(t *testing.T) {
	t.Parallel()
	good := each[*eventingv1.Trigger](build(t, "kind"))[0].Spec.Delivery
	for says, breaks := range map[string]func(*eventingduckv1.DeliverySpec){
		"lacks retry":                      func(d *eventingduckv1.DeliverySpec) { d.Retry = nil },
		"lacks backoffDelay":               func(d *eventingduckv1.DeliverySpec) { d.BackoffDelay = nil },
		"lacks timeout":                    func(d *eventingduckv1.DeliverySpec) { d.Timeout = nil },
		"lacks linear":                     func(d *eventingduckv1.DeliverySpec) { d.BackoffPolicy = nil },
		"linear backoffPolicy":             func(d *eventingduckv1.DeliverySpec) { *d.BackoffPolicy = "exponential" },
		"lacks deadLetterSink":             func(d *eventingduckv1.DeliverySpec) { d.DeadLetterSink = nil },
		"deadLetterSink store-dead-letter": func(d *eventingduckv1.DeliverySpec) { d.DeadLetterSink.Ref.Name = "send-email" },
		"retry, linear backoff":            func(d *eventingduckv1.DeliverySpec) { d.Retry, d.BackoffPolicy = nil, nil },
		"backoffDelay, timeout,":           func(d *eventingduckv1.DeliverySpec) { *d = eventingduckv1.DeliverySpec{} },
	} {
		broken := good.DeepCopy()
		require.NoError(t, deliveryComplete("a", broken))
		breaks(broken)
		require.ErrorContains(t, deliveryComplete("a", broken), says)
	}
	require.ErrorContains(t, deliveryComplete("a", nil), "no delivery")
}

func TestADetourOfTheClockIsRefused(t *testing.T) {
	t.Parallel()
	broken := each[*sourcesv1.PingSource](build(t, "kind"))[0].DeepCopy()
	require.NoError(t, clockGoesStraight(broken))
	broken.Spec.Sink.Ref.APIVersion, broken.Spec.Sink.Ref.Kind = "eventing.knative.dev/v1", "Broker"
	require.Error(t, clockGoesStraight(broken))
}

func TestBrokenTextIsRefused(t *testing.T) {
	t.Parallel()
	require.Error(t, durationsKept([]byte("backoffDelay: PT0.25S")))
	require.NoError(t, durationsKept([]byte("backoffDelay: PT0.5S, image: a:1.25.3")))
	require.Error(t, commitFree([]byte("commit: 3f2a91c")))
	require.Error(t, commitFree([]byte("image: a:9fceb02d0ae598e95dc970b74767f19372d61af8")))
	require.NoError(t, commitFree([]byte("user: 65532000, image: facade")))
	require.Error(t, programsExist([]byte("image: ko://a/cmd/sell-ice"), []string{"a/cmd/buy-ice"}))
	require.NoError(t, programsExist([]byte("image: ko://a/cmd/buy-ice"), []string{"a/cmd/buy-ice"}))
}
