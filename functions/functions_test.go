package functions_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/function"
)

const module = "github.com/popup-shop/popup"

// all returns the functions with the settings of an empty environment.
func all(t testing.TB) []function.Function {
	t.Helper()
	settings, err := config.Read[functions.Settings]()
	require.NoError(t, err)
	return functions.All(settings)
}

func names(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, f := range all(t) {
		names = append(names, f.Name)
	}
	return slices.Sorted(slices.Values(names))
}

// object has the parts of a manifest that connect functions.
type object struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Broker   string   `json:"broker"`
		Filters  []filter `json:"filters"`
		Template struct {
			Spec struct {
				Containers []struct {
					Image string `json:"image"`
				} `json:"containers"`
			} `json:"spec"`
		} `json:"template"`
		Subscriber struct {
			Ref ref `json:"ref"`
		} `json:"subscriber"`
		Sink struct {
			Ref ref `json:"ref"`
		} `json:"sink"`
	} `json:"spec"`
}

type ref struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

type filter struct {
	Exact map[string]string `json:"exact,omitempty"`
	Any   []filter          `json:"any,omitempty"`
	All   []filter          `json:"all,omitempty"`
}

// manifests returns the objects in a function's service.yaml, by kind.
func manifests(t testing.TB, name string) map[string][]object {
	t.Helper()
	text, err := functions.Manifests.ReadFile(name + "/service.yaml")
	require.NoError(t, err)
	found := map[string][]object{}
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		var o object
		require.NoError(t, yaml.Unmarshal(document, &o), name)
		found[o.Kind] = append(found[o.Kind], o)
	}
	return found
}

// FUN-14.
func TestFoldersAndFunctionsMatch(t *testing.T) {
	t.Parallel()
	require.Equal(t, names(t), folders(t, "."))
	require.Len(t, slices.Compact(names(t)), len(all(t)), "names are unique")
}

// FUN-14.
func TestFunctionsAndCommandsMatch(t *testing.T) {
	t.Parallel()
	commands := folders(t, "../cmd")
	others := []string{"jetstream-broker", "popup", "popup-bench"}
	require.Equal(t, names(t), slices.DeleteFunc(commands,
		func(name string) bool { return slices.Contains(others, name) }))
}

func folders(t testing.TB, parent string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	for _, entry := range entries {
		if entry.IsDir() {
			found = append(found, entry.Name())
		}
	}
	return found
}

func TestMainsAreOneStatement(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		file := parse(t, filepath.Join("../cmd", name, "main.go"))
		require.Equal(t, "main", file.Name.Name)
		paths := map[string]bool{}
		for _, spec := range file.Imports {
			paths[strings.Trim(spec.Path.Value, `"`)] = true
		}
		require.Equal(t, map[string]bool{module + "/functions/" + name: true, module + "/internal/function": true}, paths,
			name)
		var declared []*ast.FuncDecl
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				declared = append(declared, f)
			}
		}
		require.Len(t, declared, 1, "%s: main and nothing else", name)
		require.Len(t, declared[0].Body.List, 1, "%s: main is one statement", name)
		require.Equal(t, []string{"main.go"}, files(t, filepath.Join("../cmd", name)), name)
	}
}

func files(t testing.TB, folder string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

func parse(t testing.TB, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	return file
}

func TestPackageIsTheNameWithoutDashes(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		sources, err := filepath.Glob(filepath.Join(name, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, sources, name)
		for _, source := range sources {
			require.Equal(t, strings.ReplaceAll(name, "-", ""), strings.TrimSuffix(parse(t, source).Name.Name, "_test"), source)
		}
	}
}

// FUN-14.
func TestFunctionHasOneService(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		services := manifests(t, name)["Service"]
		require.Len(t, services, 1, name)
		require.Equal(t, name, services[0].Metadata.Name)
		containers := services[0].Spec.Template.Spec.Containers
		require.Len(t, containers, 1, name)
		require.Equal(t, "ko://"+module+"/cmd/"+name, containers[0].Image)
	}
}

func TestKustomizationListsEveryFunction(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("kustomization.yaml")
	require.NoError(t, err)
	var list struct {
		Resources []string `json:"resources"`
	}
	require.NoError(t, yaml.Unmarshal(text, &list))
	for i := range list.Resources {
		list.Resources[i] = strings.TrimSuffix(list.Resources[i], "/service.yaml")
	}
	require.ElementsMatch(t, names(t), list.Resources)
}

// FUN-14: Triggers filter for the event types that their functions consume. keep-time consumes none; its Trigger wakes
// it for a delayed order.
func TestTriggersMatchTheConsumedTypes(t *testing.T) {
	t.Parallel()
	for _, f := range all(t) {
		triggers := manifests(t, f.Name)["Trigger"]
		if len(f.On) == 0 && f.Name != "keep-time" {
			require.Empty(t, triggers, "%s consumes nothing", f.Name)
			continue
		}
		require.Len(t, triggers, 1, f.Name)
		trigger := triggers[0]
		require.Equal(t, f.Name, trigger.Metadata.Name)
		require.Equal(t, ref{"Service", f.Name}, trigger.Spec.Subscriber.Ref)
		require.Equal(t, "shop", trigger.Spec.Broker)
		if f.Name == "keep-time" {
			require.Equal(t, []filter{{All: []filter{
				{Exact: map[string]string{"type": events.WireType(events.OrderPlaced{})}},
				{Exact: map[string]string{"delayed": "true"}},
			}}}, trigger.Spec.Filters)
			continue
		}
		require.Equal(t, consumed(f), passing(t, trigger), f.Name)
	}
}

// consumed returns the wire types of the events that a function consumes.
func consumed(f function.Function) (types []string) {
	for _, h := range f.On {
		types = append(types, events.WireType(h.Event))
	}
	return slices.Sorted(slices.Values(types))
}

// passing returns the event types that a Trigger delivers. Its one filter is for a type, or any of several.
func passing(t testing.TB, trigger object) (types []string) {
	t.Helper()
	require.Len(t, trigger.Spec.Filters, 1, trigger.Metadata.Name)
	exact := trigger.Spec.Filters[0].Any
	if exact == nil {
		exact = trigger.Spec.Filters
	}
	for _, f := range exact {
		require.Equal(t, []string{"type"}, slices.Collect(maps.Keys(f.Exact)), trigger.Metadata.Name)
		require.Nil(t, slices.Concat(f.Any, f.All), trigger.Metadata.Name)
		types = append(types, f.Exact["type"])
	}
	return slices.Sorted(slices.Values(types))
}

func TestPingSourcesMatchSchedules(t *testing.T) {
	t.Parallel()
	for _, f := range all(t) {
		var sinks []ref
		for _, source := range manifests(t, f.Name)["PingSource"] {
			sinks = append(sinks, source.Spec.Sink.Ref)
		}
		var want []ref
		if f.Schedule != nil || f.Maintenance != nil {
			want = []ref{{"Service", f.Name}}
		}
		require.Equal(t, want, sinks, f.Name)
	}
}

func TestFunctionHasOneEntryPoint(t *testing.T) {
	t.Parallel()
	for _, f := range all(t) {
		ways := 0
		for _, way := range []bool{f.On != nil, f.Schedule != nil, f.Maintenance != nil, f.DeadLetters != nil, f.Endpoints != nil} {
			if way {
				ways++
			}
		}
		require.Equal(t, 1, ways, f.Name)
	}
}

func TestTypesAreDeclaredOnce(t *testing.T) {
	t.Parallel()
	for _, f := range all(t) {
		require.Len(t, slices.Compact(consumed(f)), len(f.On), f.Name)
		require.Len(t, slices.Compact(emitted(f)), len(f.Emits), f.Name)
	}
}

// emitted returns the wire types of the events that a function emits.
func emitted(f function.Function) (types []string) {
	for _, e := range f.Emits {
		types = append(types, events.WireType(e))
	}
	return slices.Sorted(slices.Values(types))
}

// EVT-01.
func TestEveryEventHasAnEmitterAndAConsumer(t *testing.T) {
	t.Parallel()
	emitters, consumers := map[string][]string{}, map[string][]string{}
	for _, f := range all(t) {
		for _, e := range f.Emits {
			emitters[e.EventType()] = append(emitters[e.EventType()], f.Name)
		}
		for _, h := range f.On {
			consumers[h.Event.EventType()] = append(consumers[h.Event.EventType()], f.Name)
		}
	}
	for _, e := range events.All() {
		name := e.EventType()
		require.NotEmpty(t, emitters[name], "no function emits %s", name)
		require.Equal(t, events.HasNoConsumer(name), len(consumers[name]) == 0,
			"%s: consumers %v, marked at its type", name, consumers[name])
		delete(emitters, name)
		delete(consumers, name)
	}
	require.Empty(t, emitters, "emitted, but not declared in events/")
	require.Empty(t, consumers, "consumed, but not declared in events/")
}

func TestOnlyTheScheduleEmitsDueEvents(t *testing.T) {
	t.Parallel()
	for _, f := range all(t) {
		for _, e := range f.Emits {
			_, tick := e.(events.Tick)
			atOnce := f.Name == "ship-order" && e.EventType() == "shipment.due" // the first move of its shipment is due at once
			require.Equal(t, f.Schedule != nil || atOnce, tick, "%s emits %s", f.Name, e.EventType())
		}
	}
}

// EVT-09: a chain may have 16 functions.
func TestEventChainsAreShortAndAcyclic(t *testing.T) {
	t.Parallel()
	longest, err := chain(all(t))
	require.NoError(t, err)
	require.LessOrEqual(t, len(longest), 16, "%v", longest)
	require.Greater(t, len(longest), 6, "the test finds the chain of an order: %v", longest)
}

func TestCycleIsDetected(t *testing.T) {
	t.Parallel()
	all := all(t)
	i := slices.IndexFunc(all, func(f function.Function) bool { return f.Name == "close-order" })
	// create-payment … refund-payment, close-order
	all[i].Emits = append(slices.Clone(all[i].Emits), events.StockReserved{})
	_, err := chain(all)
	require.ErrorContains(t, err, "cycle")
}

// chain returns the longest chain of functions in which each consumes an event of the one before, or an error that
// names a cycle.
func chain(all []function.Function) (longest []string, err error) {
	consumers := map[string][]function.Function{}
	for _, f := range all {
		for _, h := range f.On {
			consumers[h.Event.EventType()] = append(consumers[h.Event.EventType()], f)
		}
	}
	ways := map[string][]string{}
	var walk func(f function.Function, from []string) ([]string, error)
	walk = func(f function.Function, from []string) ([]string, error) {
		from = append(slices.Clone(from), f.Name)
		if slices.Contains(from[:len(from)-1], f.Name) {
			return nil, fmt.Errorf("cycle: %v", from)
		}
		if way, ok := ways[f.Name]; ok {
			return way, nil
		}
		way := []string{f.Name}
		for _, e := range f.Emits {
			for _, consumer := range consumers[e.EventType()] {
				rest, err := walk(consumer, from)
				if err != nil {
					return nil, err
				}
				if len(rest) >= len(way) {
					way = append([]string{f.Name}, rest...)
				}
			}
		}
		ways[f.Name] = way
		return way, nil
	}
	for _, f := range all {
		way, err := walk(f, nil)
		if err != nil {
			return nil, err
		}
		if len(way) > len(longest) {
			longest = way
		}
	}
	return longest, nil
}
