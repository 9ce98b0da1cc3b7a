package functions_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/function"
)

// layers are the folders of the module from the bottom up. A package imports only from its own folder and those below
// it.
var layers = []string{"client", "events", "migrations", "schemas", "infra", "config", "internal", "functions", "cmd", "tools", "docs"}

// pkg is a package in the output of go list.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// OPS-03.
func TestImportsGoDownOnly(t *testing.T) {
	t.Parallel()
	for name, p := range ours(t) {
		layer := slices.Index(layers, top(name))
		require.GreaterOrEqual(t, layer, 0, "the folder of %s is not in layers", name)
		for _, imported := range p.Imports {
			if below, ok := strings.CutPrefix(imported, module+"/"); ok {
				require.LessOrEqual(t, slices.Index(layers, top(below)), layer, "%s imports %s", name, below)
			}
		}
	}
}

func TestEventsImportTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	for _, imported := range ours(t)["events"].Imports {
		require.NotContains(t, imported, ".", "events imports %s", imported)
	}
}

func TestClientDependsOnNothingOfTheShop(t *testing.T) {
	t.Parallel()
	for _, imported := range ours(t)["client"].Deps {
		first, _, _ := strings.Cut(imported, "/")
		if strings.Contains(first, ".") && !strings.HasPrefix(imported, module+"/client") {
			require.Equal(t, "github.com/cenkalti/backoff/v5", imported)
		}
	}
}

func TestFunctionsDoNotImportEachOther(t *testing.T) {
	t.Parallel()
	for name, p := range ours(t) {
		if top(name) != "functions" || name == "functions" { // functions.go lists them
			continue
		}
		own := functionOf(name) // a large function has packages below its own
		for _, imported := range p.Deps {
			other, ok := strings.CutPrefix(imported, module+"/")
			require.False(t, ok && top(other) == "functions" && functionOf(other) != own, "%s imports %s", name, other)
		}
	}
}

// functionOf returns the function that a package belongs to: "serve-web" for functions/serve-web/shop, and "" for the
// package that lists all functions.
func functionOf(name string) string {
	parts := strings.Split(name, "/")
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

func TestFewProgramsImportAllFunctions(t *testing.T) {
	t.Parallel()
	for name, p := range ours(t) {
		if !slices.Contains([]string{"cmd/popup", "cmd/popup-bench", "tools/generate"}, name) {
			require.NotContains(t, p.Deps, module+"/functions", name)
		}
	}
}

// rules are packages with decisions only: they import neither the runtime nor a database nor the network.
var rules = []string{"order", "stock", "money", "payment", "delivery", "address", "id"}

func TestRuntimeDoesNotImportTheDomain(t *testing.T) {
	t.Parallel()
	for name, own := range map[string][]string{
		"internal/pgbatch":    {},
		"internal/cloudevent": {},
		"internal/eventstore": {"internal/cloudevent", "internal/id", "internal/pgbatch"},
		"internal/logging":    {"internal/cloudevent"},
		"internal/tracing":    {"internal/cloudevent", "internal/logging", "internal/pgbatch"},
		"internal/function": {
			"internal/access", "internal/cloudevent", "internal/eventstore", "internal/id", "internal/logging",
			"internal/pgbatch",
			"internal/token", "internal/tracing",
		},
	} {
		for _, imported := range ours(t)[name].Deps {
			if below, ok := strings.CutPrefix(imported, module+"/"); ok && top(below) == "internal" && below != name {
				require.Contains(t, own, below, name)
			}
		}
	}
}

func TestRulesAreFreeOfInputAndOutput(t *testing.T) {
	t.Parallel()
	for _, rule := range rules {
		p, ok := ours(t)["internal/"+rule]
		require.True(t, ok, rule)
		for _, imported := range p.Deps {
			require.NotEqual(t, module+"/internal/function", imported, rule)
			require.NotEqual(t, "net/http", imported, rule)
			require.NotEqual(t, "database/sql", imported, rule)
			require.False(t, strings.HasPrefix(imported, "github.com/jackc/"), "%s imports %s", rule, imported)
		}
	}
}

// denied are prefixes of packages that only programs which need them may depend on.
var denied = []string{
	"github.com/danielgtaylor/huma/", "github.com/nats-io/", "github.com/pressly/goose/", "github.com/alecthomas/kong",
	"go.opentelemetry.io/contrib/", "go.opentelemetry.io/otel/exporters/",
	"knative.dev/serving", "knative.dev/eventing", "github.com/google/jsonschema-go",
	"github.com/santhosh-tekuri/jsonschema", "k8s.io/",
	"sigs.k8s.io/", "google.golang.org/grpc", "github.com/prometheus/", "html/template",
}

// allowed are exceptions with their reasons.
var allowed = map[string]string{
	"k8s.io/klog/v2":                       "comes with the Drainer of knative.dev/pkg",
	"k8s.io/apimachinery/pkg/util/runtime": "comes with the Drainer of knative.dev/pkg",
	"k8s.io/apimachinery/pkg/util/wait":    "comes with the Drainer of knative.dev/pkg",
	"k8s.io/utils/clock":                   "comes with the Drainer of knative.dev/pkg",
	"send-email html/template":             "renders the mails",
}

func TestEventFunctionsHaveFewDependencies(t *testing.T) {
	t.Parallel()
	for _, f := range all(t) {
		if f.Endpoints != nil {
			continue
		}
		for _, imported := range ours(t)["cmd/"+f.Name].Deps {
			part := strings.Split(imported, "/internal/")[0]
			if allowed[part] == "" && allowed[f.Name+" "+part] == "" {
				require.False(t, slices.ContainsFunc(denied, func(d string) bool { return strings.HasPrefix(imported+"/", d) }),
					"%s depends on %s", f.Name, imported)
			}
		}
	}
}

// The maximum sizes of stripped programs: a plain event function often starts from zero. FUN-13 allows a function 30
// MB.
const (
	maxPlain    = 14 << 20
	maxFunction = 30 << 20
)

// notPlain are event functions with a large dependency that others do not have.
var notPlain = map[string]string{"send-email": "sends mails by SMTP"}

func TestProgramsAreSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("links every program")
	}
	t.Parallel()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o",
		dir+string(filepath.Separator), "./cmd/...")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, f := range all(t) {
		program, err := os.Stat(filepath.Join(dir, f.Name))
		require.NoError(t, err)
		require.LessOrEqual(t, program.Size(), budget(f), f.Name)
	}
}

func budget(f function.Function) int64 {
	if f.Endpoints != nil || notPlain[f.Name] != "" {
		return maxFunction
	}
	return maxPlain
}

// top returns the first folder of a path in the module.
func top(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

// ours returns the packages of the module, by their paths in it.
func ours(t testing.TB) map[string]pkg {
	t.Helper()
	found, err := list()
	require.NoError(t, err)
	require.Contains(t, found, "events")
	return found
}

var list = sync.OnceValues(func() (map[string]pkg, error) {
	command := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./...")
	command.Dir = ".."
	out, err := command.Output()
	if err != nil {
		return nil, err
	}
	found := map[string]pkg{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var p pkg
		if err := decoder.Decode(&p); err != nil {
			return nil, err
		}
		found[strings.TrimPrefix(p.ImportPath, module+"/")] = p
	}
	return found, nil
})
