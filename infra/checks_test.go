package infra

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/eventing/pkg/apis/feature"
	sourcesv1 "knative.dev/eventing/pkg/apis/sources/v1"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/kmap"
	"knative.dev/serving/pkg/apis/autoscaling"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// acceptedByKnative asks Knative's own webhook code. A warning is as bad as an error. Other kinds pass.
func acceptedByKnative(object runtime.Object) error {
	checked, ok := object.DeepCopyObject().(interface {
		apis.Defaultable
		apis.Validatable
	})
	if !ok {
		return nil
	}
	flags, err := feature.NewFlagsConfigFromMap(nil) // as in a cluster without a default
	if err != nil {
		return err
	}
	ctx := feature.ToContext(apis.WithinCreate(context.Background()), flags)
	checked.SetDefaults(ctx)
	if found := checked.Validate(ctx); found != nil {
		return found
	}
	return nil
}

// scalingKnown rejects an annotation of the autoscaler that Knative does not know; its webhook accepts them.
func scalingKnown(service *servingv1.Service) error {
	known := slices.Concat([]kmap.KeyPriority{
		autoscaling.ClassAnnotation, autoscaling.InitialScaleAnnotation, autoscaling.MaxScaleAnnotation,
		autoscaling.MetricAnnotation, autoscaling.MetricAggregationAlgorithmAnnotation, autoscaling.ActivationScale,
		autoscaling.MinScaleAnnotation, autoscaling.PanicThresholdPercentageAnnotation,
		autoscaling.PanicWindowPercentageAnnotation, autoscaling.ScaleDownDelayAnnotation,
		autoscaling.ScaleToZeroPodRetentionPeriodAnnotation, autoscaling.TargetAnnotation,
		autoscaling.TargetBurstCapacityAnnotation, autoscaling.TargetUtilizationPercentageAnnotation,
		autoscaling.WindowAnnotation,
	}...)
	var found []error
	for key := range service.Spec.Template.Annotations {
		if strings.HasPrefix(key, autoscaling.GroupName+"/") && !slices.Contains(known, key) {
			found = append(found, fmt.Errorf("%s: unknown annotation %s", service.Name, key))
		}
	}
	for key := range service.Annotations {
		if strings.HasPrefix(key, autoscaling.GroupName+"/") {
			found = append(found, fmt.Errorf("%s: annotation %s belongs on the template", service.Name, key))
		}
	}
	return errors.Join(found...)
}

// deliveryComplete demands all five parts, since the NATS broker loses events or crashes with fewer.
func deliveryComplete(name string, delivery *eventingduckv1.DeliverySpec) error {
	if delivery == nil {
		return fmt.Errorf("%s: no delivery", name)
	}
	var missing []string
	demand := func(ok bool, part string) {
		if !ok {
			missing = append(missing, part)
		}
	}
	demand(delivery.Retry != nil && *delivery.Retry > 0, "retry")
	demand(delivery.BackoffPolicy != nil && *delivery.BackoffPolicy == eventingduckv1.BackoffPolicyLinear,
		"linear backoffPolicy")
	demand(delivery.BackoffDelay != nil, "backoffDelay")
	demand(delivery.Timeout != nil, "timeout")
	sink := delivery.DeadLetterSink
	demand(sink != nil && sink.Ref != nil && sink.Ref.Kind == "Service" && sink.Ref.Name == "store-dead-letter",
		"deadLetterSink store-dead-letter")
	if missing != nil {
		return fmt.Errorf("%s: delivery lacks %s", name, strings.Join(missing, ", "))
	}
	return nil
}

var fineDuration = regexp.MustCompile(`\bP[0-9DT.]*\.[0-9]{2,}[HMS]`)

// durationsKept refuses an ISO duration with more than one decimal digit: Knative would silently round it.
func durationsKept(text []byte) error {
	if found := fineDuration.Find(text); found != nil {
		return fmt.Errorf("duration %s has more than one decimal", found)
	}
	return nil
}

// brokerProgram is the one pod that calls the API server.
const brokerProgram = "jetstream-broker"

// restricted demands the restricted Pod Security level of every container, and a disk that cannot be written.
func restricted(name string, pod corev1.PodSpec) error {
	var found []error
	for _, container := range slices.Concat(pod.InitContainers, pod.Containers) {
		demand := func(ok bool, what string) {
			if !ok {
				found = append(found, fmt.Errorf("%s: container %s: %s", name, container.Name, what))
			}
		}
		security := container.SecurityContext
		if security == nil {
			security = &corev1.SecurityContext{}
		}
		caps, seccomp := security.Capabilities, security.SeccompProfile
		demand(is(security.RunAsNonRoot, true), "may run as root")
		demand(is(security.ReadOnlyRootFilesystem, true), "may write to its disk")
		demand(is(security.AllowPrivilegeEscalation, false), "may gain privileges")
		demand(!is(security.Privileged, true), "is privileged")
		demand(caps != nil && slices.Equal(caps.Drop, []corev1.Capability{"ALL"}) && caps.Add == nil, "keeps capabilities")
		demand(seccomp != nil && seccomp.Type == corev1.SeccompProfileTypeRuntimeDefault, "has no seccomp profile")
	}
	if pod.HostNetwork || pod.HostPID || pod.HostIPC {
		found = append(found, fmt.Errorf("%s: shares with its host", name))
	}
	if !is(pod.AutomountServiceAccountToken, false) && name != brokerProgram {
		found = append(found, fmt.Errorf("%s: holds a token for the cluster", name))
	}
	return errors.Join(found...)
}

func is(value *bool, want bool) bool { return value != nil && *value == want }

// common demands what all functions share; infra/function gives it.
func common(service *servingv1.Service) error {
	template := service.Spec.Template
	container := template.Spec.Containers[0]
	var found []error
	demand := func(ok bool, what string) {
		if !ok {
			found = append(found, fmt.Errorf("%s: lacks %s", service.Name, what))
		}
	}
	probe := container.ReadinessProbe
	demand(probe != nil && probe.HTTPGet != nil && probe.HTTPGet.Path == "/health" && probe.PeriodSeconds > 0,
		"readiness at /health with a period")
	demand(container.LivenessProbe != nil, "a liveness probe")
	demand(template.Spec.ServiceAccountName == "function", "the service account")
	demand(template.Spec.ContainerConcurrency != nil && *template.Spec.ContainerConcurrency > 0,
		"a bound on concurrent calls")
	demand(template.Spec.TimeoutSeconds != nil, "a timeout")
	demand(template.Annotations[autoscaling.MinScaleAnnotationKey] != "", "a lower scale bound")
	demand(template.Annotations[autoscaling.MaxScaleAnnotationKey] != "", "an upper scale bound")
	for _, need := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		demand(!container.Resources.Requests.Name(need, "").IsZero(), "a request of "+string(need))
		demand(!container.Resources.Limits.Name(need, "").IsZero(), "a limit of "+string(need))
	}
	demand(slices.ContainsFunc(container.EnvFrom, func(from corev1.EnvFromSource) bool {
		return from.ConfigMapRef != nil && from.ConfigMapRef.Name == "popup-settings"
	}), "the settings")
	demand(slices.ContainsFunc(container.EnvFrom, func(from corev1.EnvFromSource) bool {
		return from.SecretRef != nil && from.SecretRef.Name == "popup-database"
	}), "the database")
	demand(slices.ContainsFunc(container.EnvFrom, func(from corev1.EnvFromSource) bool {
		return from.SecretRef != nil && from.SecretRef.Name == "popup-public-keys"
	}), "the keys that verify tokens")
	return errors.Join(found...)
}

// providerKeys open the APIs of payment providers.
var providerKeys = map[string]string{
	"CARD_KEY": "popup-payments", "TALER_URL": "popup-payments", "TALER_TOKEN": "popup-payments", "KONBINI_URL": "popup-payments",
	"KONBINI_KEY": "popup-payments",
}

// secrets are the settings that one function alone is given, each from a key of its own name in a Secret.
var secrets = map[string]map[string]string{
	"serve-accounts":     {"TOKEN_KEYS": "popup-tokens"},
	"serve-gateway":      {"PAGES_KEY": "popup-pages"},
	"send-email":         {"SMTP_URL": "popup-mail"},
	"create-payment":     providerKeys,
	"check-payment":      providerKeys,
	"reconcile-payments": providerKeys,
	"refund-payment":     providerKeys,
	"receive-webhook": {
		"CARD_WEBHOOK_SECRET": "popup-payments", "TALER_WEBHOOK_SECRET": "popup-payments", "KONBINI_WEBHOOK_SECRET": "popup-payments",
	},
	"edit-catalogue": {"S3_URL": "popup-pictures", "S3_KEY": "popup-pictures", "S3_SECRET": "popup-pictures"},
}

// secretsKept requires that a function has its own secrets, all by reference, and no others.
func secretsKept(service *servingv1.Service) error {
	var found []error
	want := maps.Clone(secrets[service.Name])
	for _, env := range service.Spec.Template.Spec.Containers[0].Env {
		if env.ValueFrom == nil || env.ValueFrom.SecretKeyRef == nil || env.ValueFrom.SecretKeyRef.Key != env.Name ||
			env.ValueFrom.SecretKeyRef.Name != want[env.Name] {
			found = append(found, fmt.Errorf("%s: is given %s, which is not its own or not by reference", service.Name,
				env.Name))
		}
		delete(want, env.Name)
	}
	for name := range want {
		found = append(found, fmt.Errorf("%s: lacks %s", service.Name, name))
	}
	return errors.Join(found...)
}

// asksOutside are the functions that call services outside the cluster.
var asksOutside = []string{"create-payment", "edit-catalogue", "refund-payment", "send-email"}

// outsideOnly demands that just these may, over TLS, and that none of them reaches an address inside by it.
func outsideOnly(policy *networkingv1.NetworkPolicy) error {
	var found []error
	demand := func(ok bool, what string) {
		if !ok {
			found = append(found, fmt.Errorf("%s: %s", policy.Name, what))
		}
	}
	chosen := policy.Spec.PodSelector.MatchExpressions
	demand(len(chosen) == 1 && chosen[0].Key == "serving.knative.dev/service" &&
		chosen[0].Operator == metav1.LabelSelectorOpIn &&
		slices.Equal(slices.Sorted(slices.Values(chosen[0].Values)), asksOutside), "is for others than those who ask outside")
	for _, rule := range policy.Spec.Egress {
		demand(slices.ContainsFunc(rule.Ports, func(p networkingv1.NetworkPolicyPort) bool { return p.Port != nil && p.Port.IntValue() == 443 }), "does not allow TLS")
		for _, to := range rule.To {
			demand(to.IPBlock != nil && len(to.IPBlock.Except) == 5, "reaches addresses inside")
		}
	}
	return errors.Join(found...)
}

// privateButGateway demands that the gateway, and nothing else, can be reached from outside.
func privateButGateway(service metav1.Object) error {
	private := service.GetLabels()["networking.knative.dev/visibility"] == "cluster-local"
	if private == (service.GetName() == "serve-gateway") {
		return fmt.Errorf("%s: cluster-local is %t", service.GetName(), private)
	}
	return nil
}

// clockGoesStraight demands a Knative Service as the sink, since the broker may be what the clock has to repair.
func clockGoesStraight(ping *sourcesv1.PingSource) error {
	ref := ping.Spec.Sink.Ref
	if ref == nil || ref.Kind != "Service" || ref.APIVersion != "serving.knative.dev/v1" || ref.Name != ping.Name {
		return fmt.Errorf("%s: does not go straight to its function", ping.Name)
	}
	return nil
}

var hexWord = regexp.MustCompile(`\b[0-9a-f]{7,40}\b`)

// commitFree refuses what looks like a commit hash: it would start a new revision of every function at every commit.
func commitFree(text []byte) error {
	for _, word := range hexWord.FindAllString(string(text), -1) {
		if strings.ContainsAny(word, "0123456789") && strings.ContainsAny(word, "abcdef") {
			return fmt.Errorf("%s looks like a commit", word)
		}
	}
	return nil
}

var koImage = regexp.MustCompile(`ko://(\S+)`)

// programsExist refuses a ko:// image that is none of the main packages.
func programsExist(text []byte, mains []string) error {
	var found []error
	for _, image := range koImage.FindAllSubmatch(text, -1) {
		if !slices.Contains(mains, string(image[1])) {
			found = append(found, fmt.Errorf("no program %s", image[1]))
		}
	}
	return errors.Join(found...)
}

// setting is what a function reads under a name: its own, or that of all.
func setting(service *servingv1.Service, shared map[string]string, name string) string {
	for _, env := range service.Spec.Template.Spec.Containers[0].Env {
		if env.Name == name {
			return env.Value
		}
	}
	return shared[name]
}

// memoryKnown demands a GOMEMLIMIT of 80 to 90 % of the container's memory limit.
func memoryKnown(service *servingv1.Service, shared map[string]string) error {
	limit := service.Spec.Template.Spec.Containers[0].Resources.Limits.Memory().Value()
	text := setting(service, shared, "GOMEMLIMIT")
	known, err := resource.ParseQuantity(strings.TrimSuffix(text, "B"))
	if err != nil {
		return fmt.Errorf("%s: GOMEMLIMIT=%q: %w", service.Name, text, err)
	}
	if share := float64(known.Value()) / float64(limit); share < 0.8 || share > 0.9 {
		return fmt.Errorf("%s: GOMEMLIMIT=%s is %.0f %% of the memory limit, not 80 to 90", service.Name, text, share*100)
	}
	return nil
}

// hopsKnown demands the number of proxies in front of the gateway, and that it is always the same: with a target burst
// capacity of -1 the activator is one of them at any load.
func hopsKnown(gateway *servingv1.Service, shared map[string]string) error {
	if gateway.Spec.Template.Annotations[autoscaling.TargetBurstCapacityKey] != "-1" {
		return fmt.Errorf("%s: the activator is not always in front of it", gateway.Name)
	}
	hops, err := strconv.Atoi(setting(gateway, shared, "TRUSTED_HOPS"))
	if err != nil {
		return fmt.Errorf("%s: TRUSTED_HOPS: %w", gateway.Name, err)
	}
	if hops < 3 {
		return fmt.Errorf("%s: TRUSTED_HOPS=%d: ingress, activator and queue-proxy are 3", gateway.Name, hops)
	}
	return nil
}

// reachable demands that the gateway's address of a function is one that an ingress knows.
func reachable(service *servingv1.Service, shared map[string]string) error {
	want := "http://" + service.Name + "." + service.Namespace
	if got := strings.ReplaceAll(shared["FUNCTION_URL"], "{function}", service.Name); got != want {
		return fmt.Errorf("%s: FUNCTION_URL is %q, and an ingress knows %s", service.Name, got, want)
	}
	return nil
}
