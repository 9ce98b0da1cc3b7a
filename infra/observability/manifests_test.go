package observability_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// OPS-46: what Prometheus scrapes by name is there, and every field of the manifests is one that Kubernetes has.
func TestManifestsNameWhatPrometheusScrapes(t *testing.T) {
	t.Parallel()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), ".")
	require.NoError(t, err)
	services := map[string]int32{}
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		require.NoError(t, err)
		switch resource.GetKind() {
		case "Service":
			var service corev1.Service
			require.NoError(t, yaml.UnmarshalStrict(text, &service))
			services[service.Name+"."+service.Namespace+".svc.cluster.local"] = service.Spec.Ports[0].Port
		case "NetworkPolicy":
			require.NoError(t, yaml.UnmarshalStrict(text, &networkingv1.NetworkPolicy{}))
		case "CronJob":
			require.NoError(t, yaml.UnmarshalStrict(text, &batchv1.CronJob{}))
		default:
			require.Fail(t, "unexpected "+resource.GetKind())
		}
	}
	var settings struct {
		Jobs []struct {
			Names []struct {
				Names []string `json:"names"`
				Port  int32    `json:"port"`
			} `json:"dns_sd_configs"`
		} `json:"scrape_configs"`
	}
	readYAML(t, "prometheus.yml", &settings)
	scraped := map[string]int32{}
	for _, job := range settings.Jobs {
		scraped[job.Names[0].Names[0]] = job.Names[0].Port
	}
	delete(scraped, "autoscaler.knative-serving.svc.cluster.local") // Knative's own
	require.Equal(t, services, scraped)
}
