// Package infra holds the manifests of the shop on a cluster, and the tests that prove them without one.
package infra

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	sourcesv1 "knative.dev/eventing/pkg/apis/sources/v1"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

var (
	overlays = []string{"kind", "bare", "production"}
	brokers  = []string{"broker-jetstream", "broker-nats", "broker-nats-channel", "broker-memory"}
)

// A manifest is one object of a built overlay: as text, and decoded into the type that the cluster will give it.
type manifest struct {
	text   []byte
	object runtime.Object
}

// build makes the overlay as kubectl would, once for all tests: copy an object before you break it. Edits are pairs of
// an old and a new text, made in the overlay's own kustomization first, as a person would.
func build(t *testing.T, overlay string, edits ...string) []manifest {
	t.Helper()
	key := overlay + strings.Join(edits, "")
	once, _ := built.LoadOrStore(key, sync.OnceValues(func() ([]manifest, error) { return buildAnew(overlay, edits) }))
	all, err := once.(func() ([]manifest, error))()
	require.NoError(t, err, overlay)
	return all
}

var built sync.Map

func buildAnew(overlay string, edits []string) ([]manifest, error) {
	files, err := copyManifests()
	if err != nil {
		return nil, err
	}
	path := filepath.Join("/infra/overlays", overlay)
	list, err := files.ReadFile(filepath.Join(path, "kustomization.yaml"))
	if err != nil {
		return nil, err
	}
	if len(edits) > 0 && !strings.Contains(string(list), edits[0]) {
		return nil, fmt.Errorf("%s: does not contain %q", path, edits[0])
	}
	edited := strings.NewReplacer(edits...).Replace(string(list))
	if err := files.WriteFile(filepath.Join(path, "kustomization.yaml"), []byte(edited)); err != nil {
		return nil, err
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified // the overlay sets its order itself
	resources, err := krusty.MakeKustomizer(options).Run(files, path)
	if err != nil {
		return nil, err
	}
	return decodeAll(resources)
}

func decodeAll(resources resmap.ResMap) ([]manifest, error) {
	var all []manifest
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return nil, err
		}
		object, err := decode(text)
		if err != nil {
			return nil, fmt.Errorf("%w in:\n%s", err, text)
		}
		all = append(all, manifest{text, object})
	}
	return all, nil
}

// copyManifests returns a file system in memory with infra/ and functions/ side by side, free to be edited.
func copyManifests() (filesys.FileSystem, error) {
	files := filesys.MakeFsInMemory()
	for _, folder := range []string{"infra", "functions"} {
		root := os.DirFS(filepath.Join("..", folder))
		err := fs.WalkDir(root, ".", func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".yaml" {
				return err
			}
			text, err := fs.ReadFile(root, path)
			if err != nil {
				return err
			}
			return files.WriteFile(filepath.Join("/", folder, path), text)
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// decode reads one object strictly: an unknown kind, an unknown field and a field given twice are errors.
func decode(text []byte) (runtime.Object, error) {
	object, _, err := decoder.Decode(text, nil, nil)
	return object, err
}

var decoder = func() runtime.Decoder {
	scheme := runtime.NewScheme()
	known := runtime.NewSchemeBuilder(
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme, rbacv1.AddToScheme,
		servingv1.AddToScheme, eventingv1.AddToScheme, sourcesv1.AddToScheme,
	)
	if err := known.AddToScheme(scheme); err != nil {
		panic(err)
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}()

// each returns the objects of type T among the manifests, in their order.
func each[T runtime.Object](all []manifest) []T {
	var found []T
	for _, m := range all {
		if object, ok := m.object.(T); ok {
			found = append(found, object)
		}
	}
	return found
}
