package infra

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	sourcesv1 "knative.dev/eventing/pkg/apis/sources/v1"
	"knative.dev/serving/pkg/apis/autoscaling"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
	"sigs.k8s.io/yaml"
)

// queueProxyDrain is how long Knative's queue-proxy lets requests finish when a pod stops, in seconds.
const queueProxyDrain = int64(30)

// inEveryOverlay runs the test on each overlay as it is, and on the one for kind with each of the brokers.
func inEveryOverlay(t *testing.T, test func(t *testing.T, all []manifest)) {
	t.Helper()
	t.Parallel()
	for _, overlay := range overlays {
		t.Run(overlay, func(t *testing.T) {
			t.Parallel()
			test(t, build(t, overlay))
		})
	}
	for _, broker := range brokers {
		t.Run("kind with "+broker, func(t *testing.T) {
			t.Parallel()
			test(t, buildWith(t, broker))
		})
	}
}

// buildWith makes the overlay for kind with another broker, by changing the one line that its comment names.
func buildWith(t *testing.T, broker string) []manifest {
	t.Helper()
	return build(t, "kind", "- ../../broker-jetstream\n", "- ../../"+broker+"\n")
}

// OPS-52.
func TestKnativeAcceptsEveryObjectWithoutAWarning(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		for _, m := range all {
			require.NoError(t, acceptedByKnative(m.object), "%s", m.text)
		}
	})
}

func TestEveryTriggerHasCompleteDelivery(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		triggers := each[*eventingv1.Trigger](all)
		require.NotEmpty(t, triggers)
		for _, trigger := range triggers {
			require.NoError(t, deliveryComplete(trigger.Name, trigger.Spec.Delivery))
			require.Equal(t, "shop", trigger.Spec.Broker)
		}
	})
}

func TestTheOneBrokerHasCompleteDelivery(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		found := each[*eventingv1.Broker](all)
		require.Len(t, found, 1)
		require.Equal(t, "shop", found[0].Name)
		require.NoError(t, deliveryComplete("broker", found[0].Spec.Delivery))
	})
}

func TestEveryDurationHasAtMostOneDecimal(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		for _, m := range all {
			require.NoError(t, durationsKept(m.text))
		}
	})
}

func TestEveryFunctionHasTheCommonParts(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		services := each[*servingv1.Service](all)
		folders, err := filepath.Glob("../functions/*/service.yaml")
		require.NoError(t, err)
		require.Len(t, services, len(folders), "functions/kustomization.yaml lists every function")
		for _, service := range services {
			require.NoError(t, common(service))
			require.NoError(t, scalingKnown(service))
			require.NoError(t, privateButGateway(service))
			require.NoError(t, secretsKept(service))
		}
	})
}

func TestEveryFunctionIsGivenTheBroker(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		bindings := each[*sourcesv1.SinkBinding](all)
		require.Len(t, bindings, 1)
		require.Equal(t, "Broker", bindings[0].Spec.Sink.Ref.Kind)
		for _, service := range each[*servingv1.Service](all) {
			require.Subset(t, service.Labels, bindings[0].Spec.Subject.Selector.MatchLabels, service.Name)
		}
	})
}

func TestACallEndsBeforeTheBrokerRepeatsIt(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		timeout := *each[*eventingv1.Broker](all)[0].Spec.Delivery.Timeout
		repeat, err := time.ParseDuration(strings.ToLower(strings.TrimPrefix(timeout, "PT")))
		require.NoError(t, err)
		for _, service := range each[*servingv1.Service](all) {
			require.Less(t, float64(*service.Spec.Template.Spec.TimeoutSeconds), repeat.Seconds(), service.Name)
			require.Greater(t, *service.Spec.Template.Spec.TimeoutSeconds, queueProxyDrain, "%s is killed at each scale-down",
				service.Name)
		}
	})
}

// spare is how many connections are left for people, migrations and Postgres itself.
const spare = 20

// withoutDatabase are functions that ask the database for nothing: a pool that is not used opens no connection.
var withoutDatabase = []string{"serve-web"}

// Where the shop brings its own Postgres, it bears every copy of every function.
func TestAllConnectionsFitIntoPostgres(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		server, ok := postgres(all)
		if !ok {
			return // production brings its own
		}
		most, err := maxConnections(server)
		require.NoError(t, err)
		pool, err := strconv.Atoi(settings(all)["DB_POOL"])
		require.NoError(t, err)
		total := spare
		for _, service := range each[*servingv1.Service](all) {
			copies, err := strconv.Atoi(service.Spec.Template.Annotations["autoscaling.knative.dev/max-scale"])
			require.NoError(t, err, service.Name)
			if !slices.Contains(withoutDatabase, service.Name) {
				total += copies * pool
			}
		}
		require.LessOrEqual(t, total, most)
	})
}

// postgres returns the Postgres of an overlay; ok is false where the overlay has none.
func postgres(all []manifest) (server *appsv1.StatefulSet, ok bool) {
	for _, set := range each[*appsv1.StatefulSet](all) {
		if set.Name == "postgres" {
			return set, true
		}
	}
	return nil, false
}

// maxConnections returns how many connections a Postgres bears.
func maxConnections(server *appsv1.StatefulSet) (int, error) {
	for _, arg := range server.Spec.Template.Spec.Containers[0].Args {
		if text, ok := strings.CutPrefix(arg, "max_connections="); ok {
			return strconv.Atoi(text)
		}
	}
	return 0, errors.New("postgres: no max_connections")
}

// atRest is how many cores the shop may request on a cluster where every function has a copy: a laptop has four.
const atRest = 1.0

func TestRequestsFitOntoALaptop(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		var total float64
		for name, pod := range pods(all) {
			for _, c := range pod.Spec.Containers {
				require.False(t, c.Resources.Requests.Cpu().IsZero(), name)
				total += c.Resources.Requests.Cpu().AsApproximateFloat64()
			}
		}
		require.Less(t, total, atRest)
	})
}

// FUN-06: what the schedule calls sleeps before it is called again.
func TestFunctionsOfTheScheduleSleepAtOnce(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		called := map[string]bool{}
		for _, source := range each[*sourcesv1.PingSource](all) {
			called[source.Spec.Sink.Ref.Name] = true
		}
		require.NotEmpty(t, called)
		for _, service := range each[*servingv1.Service](all) {
			annotations := service.Spec.Template.Annotations
			window, err := time.ParseDuration(annotations["autoscaling.knative.dev/window"])
			require.NoError(t, err, service.Name)
			require.LessOrEqual(t, window, 15*time.Second, service.Name)
			if called[service.Name] {
				require.LessOrEqual(t, window, 10*time.Second, service.Name)
				require.Equal(t, "0s", annotations["autoscaling.knative.dev/scale-to-zero-pod-retention-period"], service.Name)
			}
		}
	})
}

// OPS-51.
func TestEveryPodIsRestricted(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		for name, pod := range pods(all) {
			require.NoError(t, restricted(name, pod.Spec))
		}
	})
}

func TestNoPodTemplateHoldsACommit(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		for name, pod := range pods(all) {
			text, err := yaml.Marshal(pod)
			require.NoError(t, err)
			require.NoError(t, commitFree(text), name)
		}
	})
}

func TestEveryImageIsAProgramOfOurs(t *testing.T) {
	t.Parallel()
	mains, err := filepath.Glob("../cmd/*/main.go") // looked at here, so that a cached result ends when they change
	require.NoError(t, err)
	require.NotEmpty(t, mains, "commands")
	list := exec.CommandContext(t.Context(), "go", "list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`,
		"./cmd/...")
	list.Dir = ".."
	out, err := list.Output()
	require.NoError(t, err)
	for _, overlay := range overlays {
		for _, m := range build(t, overlay) {
			require.NoError(t, programsExist(m.text, strings.Fields(string(out))))
		}
	}
}

func TestTheClockGoesStraightToItsFunction(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		clocks := each[*sourcesv1.PingSource](all)
		require.Len(t, clocks, 2)
		for _, clock := range clocks {
			require.NoError(t, clockGoesStraight(clock))
		}
	})
}

func TestTheFunctionsThatAnOrderWakesAreThere(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		names := map[string]bool{}
		for _, service := range each[*servingv1.Service](all) {
			names[service.Name] = true
		}
		for name := range strings.SplitSeq(settings(all)["WAKE"], ",") {
			require.True(t, names[name], "WAKE=%s", name)
		}
	})
}

// OPS-51.
func TestPodsConnectOnlyWherePoliciesAllow(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		closed := map[string]bool{}
		for _, policy := range each[*networkingv1.NetworkPolicy](all) {
			spec := policy.Spec
			if len(spec.PodSelector.MatchLabels)+len(spec.PodSelector.MatchExpressions) == 0 &&
				len(spec.PolicyTypes) == 2 && spec.Ingress == nil && spec.Egress == nil {
				closed[policy.Namespace] = true
			}
		}
		for _, namespace := range each[*corev1.Namespace](all) {
			require.True(t, closed[namespace.Name], "%s denies by default", namespace.Name)
			require.Equal(t, "restricted", namespace.Labels["pod-security.kubernetes.io/warn"], namespace.Name)
		}
	})
}

func TestOnlyFunctionsWithExternalServicesMayLeaveTheCluster(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		outside := 0
		for _, policy := range each[*networkingv1.NetworkPolicy](all) {
			for _, rule := range policy.Spec.Egress {
				if slices.ContainsFunc(rule.To, func(to networkingv1.NetworkPolicyPeer) bool { return to.IPBlock != nil }) {
					require.NoError(t, outsideOnly(policy))
					outside++
				}
			}
		}
		require.Equal(t, 1, outside)
	})
}

// Browsers use the addresses of pictures, so production must set theirs.
func TestProductionSetsTheAddressOfItsPictures(t *testing.T) {
	t.Parallel()
	for _, config := range each[*corev1.ConfigMap](build(t, "production")) {
		if config.Name == "popup-settings" {
			require.Regexp(t, `^https://.+/$`, config.Data["PICTURES_URL"])
			require.NotEmpty(t, config.Data["S3_BUCKET"])
			return
		}
	}
	require.Fail(t, "no popup-settings")
}

func TestListenersAreAppliedBeforeSpeakersAndTheClockLast(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		last := 0
		order := []string{"Namespace", "ConfigMap", "Broker", "SinkBinding", "Trigger", "Service", "PingSource"}
		for _, m := range all {
			if at := slices.Index(order, m.object.GetObjectKind().GroupVersionKind().Kind); at >= 0 {
				require.GreaterOrEqual(t, at, last, "%s", m.text)
				last = at
			}
		}
	})
}

func TestTheBrokersDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, broker := range brokers {
		all := buildWith(t, broker)
		kind := each[*eventingv1.Broker](all)[0].Annotations[eventingv1.BrokerClassAnnotationKey]
		for _, config := range each[*corev1.ConfigMap](all) {
			kind += config.Data["channel-template-spec"]
		}
		require.NotContains(t, seen, kind, "%s and %s", broker, seen[kind])
		seen[kind] = broker
	}
}

func TestABrokersConfigurationIsYAML(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		for _, config := range each[*corev1.ConfigMap](all) {
			for _, key := range []string{"channel-template-spec", "config"} {
				var any map[string]any
				require.NoError(t, yaml.UnmarshalStrict([]byte(config.Data[key]), &any), config.Name)
			}
		}
	})
}

func TestNATSReadsItsConfiguration(t *testing.T) {
	t.Parallel()
	for _, config := range each[*corev1.ConfigMap](build(t, "production")) {
		if text, ok := config.Data["nats.conf"]; ok {
			var options server.Options
			require.NoError(t, options.ProcessConfigString(text))
			require.True(t, options.JetStream)
			return
		}
	}
	require.Fail(t, "no nats.conf")
}

func TestProductionBringsNoDatabaseAndNoSecret(t *testing.T) {
	t.Parallel()
	all := build(t, "production")
	require.Empty(t, each[*corev1.Secret](all))
	for _, set := range each[*appsv1.StatefulSet](all) {
		require.NotEqual(t, "postgres", set.Name)
	}
}

func TestOnlyProductionKeepsOnlyTheGatewayAwake(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		production := len(each[*corev1.Secret](all)) == 0
		for _, service := range each[*servingv1.Service](all) {
			want := "0"
			if production && service.Name == "serve-gateway" {
				want = "1"
			}
			require.Equal(t, want, service.Spec.Template.Annotations[autoscaling.MinScaleAnnotationKey], service.Name)
		}
	})
}

// pods returns the pod template of everything that starts pods, by name.
func pods(all []manifest) map[string]corev1.PodTemplateSpec {
	found := map[string]corev1.PodTemplateSpec{}
	for _, service := range each[*servingv1.Service](all) {
		template := service.Spec.Template
		found[service.Name] = corev1.PodTemplateSpec{ObjectMeta: template.ObjectMeta, Spec: template.Spec.PodSpec}
	}
	for _, set := range each[*appsv1.StatefulSet](all) {
		found[set.Name] = set.Spec.Template
	}
	for _, deployment := range each[*appsv1.Deployment](all) {
		found[deployment.Name] = deployment.Spec.Template
	}
	for _, job := range each[*batchv1.Job](all) {
		found[job.Name] = job.Spec.Template
	}
	return found
}

// The Go runtime reads GOMEMLIMIT, not the limit of its container, which kills.
func TestEveryFunctionKnowsItsMemoryLimit(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		for _, service := range each[*servingv1.Service](all) {
			require.NoError(t, memoryKnown(service, settings(all)))
		}
	})
}

// Without TRUSTED_HOPS all visitors have the address of the last proxy, and share one rate limit.
func TestTheGatewayKnowsHowManyProxiesAreInFrontOfIt(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		require.NoError(t, hopsKnown(serviceOf(all, "serve-gateway"), settings(all)))
	})
}

// Knative's ingresses know a Service as name.namespace and longer, never as its name alone.
func TestTheGatewayCallsFunctionsByNameAndNamespace(t *testing.T) {
	inEveryOverlay(t, func(t *testing.T, all []manifest) {
		for _, service := range each[*servingv1.Service](all) {
			require.NoError(t, reachable(service, settings(all)))
		}
	})
}

// settings are those that all functions share.
func settings(all []manifest) map[string]string {
	for _, config := range each[*corev1.ConfigMap](all) {
		if config.Name == "popup-settings" {
			return config.Data
		}
	}
	return nil
}

func serviceOf(all []manifest, name string) *servingv1.Service {
	for _, service := range each[*servingv1.Service](all) {
		if service.Name == name {
			return service
		}
	}
	return nil
}
