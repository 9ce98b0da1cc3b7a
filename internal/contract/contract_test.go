package contract_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/contract"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/schemas"
)

const eventsFolder = "../../events"

// written is a contract that Write made of some functions, in a folder beside a copy of the events.
func written(t *testing.T, functions ...function.Function) fs.FS {
	t.Helper()
	dir := filepath.Join(repository(t), "schemas")
	require.NoError(t, contract.Write(dir, functions))
	return os.DirFS(dir)
}

func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(root, "events"), os.DirFS(eventsFolder)))
	return root
}

func reserveStock() function.Function {
	return function.Function{
		Name: "reserve-stock",
		On: []function.Handler{function.On(function.Each(func(context.Context, pgx.Tx, events.OrderPlaced) (events.Event, error) {
			return nil, nil
		}))},
		Emits: []events.Event{events.StockReserved{}, events.StockShort{}},
	}
}

// door is a Door of which only the routes matter.
type door []function.Route

func (d door) Routes() []function.Route               { return d }
func (d door) Open(*http.ServeMux, *function.Runtime) {}
func (d door) function(name string) function.Function {
	return function.Function{Name: name, Endpoints: d}
}

func get(path string) function.Route {
	return function.Route{Method: "GET", Path: path, Access: access.All}
}

func read(t *testing.T, from fs.FS, name string) []byte {
	t.Helper()
	content, err := fs.ReadFile(from, name)
	require.NoError(t, err)
	return content
}

func parsed(t *testing.T, text []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return value
}

func compiled(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("https://schema.test/", parsed(t, text)))
	s, err := compiler.Compile("https://schema.test/")
	require.NoError(t, err)
	return s
}

// EVT-02.
func TestEverySampleIsValidByItsSchema(t *testing.T) {
	t.Parallel()
	made := written(t)
	for _, e := range events.All() {
		sample, err := os.ReadFile(filepath.Join(eventsFolder, "testdata", e.EventType()+".json"))
		require.NoError(t, err)
		s := compiled(t, read(t, made, "events/"+e.EventType()+".json"))
		require.NoError(t, s.Validate(parsed(t, sample)), e.EventType())
	}
}

func TestASchemaContainsWhatConsumersCanRelyOn(t *testing.T) {
	t.Parallel()
	text := read(t, written(t), "events/order.placed.json")
	require.Contains(t, string(text), `"description": "An order was checked, priced and stored."`)
	sample, err := os.ReadFile(filepath.Join(eventsFolder, "testdata/order.placed.json"))
	require.NoError(t, err)
	s := compiled(t, text)
	for name, change := range map[string]func(order, line map[string]any) bool{
		"a field may be added":            func(order, _ map[string]any) bool { order["wish"] = "blue"; return true },
		"a field of a line may be added":  func(_, line map[string]any) bool { line["wish"] = "blue"; return true },
		"an optional field may be absent": func(order, _ map[string]any) bool { delete(order, "slot_id"); return true },
		"a required field is there":       func(order, _ map[string]any) bool { delete(order, "lines"); return false },
		"nothing is null":                 func(order, _ map[string]any) bool { order["lines"] = nil; return false },
		"an amount is a whole number": func(order,
			_ map[string]any,
		) bool {
			order["total_minor"] = json.Number("19.99")
			return false
		},
		"a time is a time": func(order,
			_ map[string]any,
		) bool {
			order["deadline"] = "tomorrow"
			return false
		},
		"an id is a UUID":   func(order, _ map[string]any) bool { order["order_id"] = "7"; return false },
		"a SKU is any text": func(_, line map[string]any) bool { line["sku"] = "7"; return true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			order := parsed(t, sample).(map[string]any)
			line := order["lines"].([]any)[0].(map[string]any)
			valid := change(order, line)
			require.Equal(t, valid, s.Validate(order) == nil)
		})
	}
}

func TestASecondRunChangesNothing(t *testing.T) {
	t.Parallel()
	root := repository(t)
	functions := []function.Function{reserveStock(), door{get("/v1/b"), get("/v1/a")}.function("serve-orders")}
	dir := filepath.Join(root, "schemas")
	require.NoError(t, contract.Write(dir, functions))
	first := contents(t, os.DirFS(dir))
	functions[0], functions[1] = functions[1], functions[0]
	require.NoError(t, contract.Write(dir, functions))
	require.Equal(t, first, contents(t, os.DirFS(dir)))
}

func contents(t *testing.T, of fs.FS) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, fs.WalkDir(of, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			all[path] = string(read(t, of, path))
		}
		return err
	}))
	return all
}

func TestTheSchemaOfAnEventThatIsNoMoreGoes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(repository(t), "schemas")
	old := filepath.Join(dir, "events", "order.forgotten.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(old), 0o755))
	require.NoError(t, os.WriteFile(old, []byte("{}"), 0o644))
	require.NoError(t, contract.Write(dir, nil))
	require.NoFileExists(t, old)
}

func TestAnEventWithoutSampleIsRefused(t *testing.T) {
	t.Parallel()
	root := repository(t)
	require.NoError(t, os.Remove(filepath.Join(root, "events/testdata/order.placed.json")))
	require.ErrorContains(t, contract.Write(filepath.Join(root, "schemas"), nil), "order.placed")
	require.NoDirExists(t, filepath.Join(root, "schemas"))
}

// asyncAPI is as much of the AsyncAPI document as the tests look at.
type asyncAPI struct {
	Channels   map[string]struct{ Address string }
	Operations map[string]struct {
		Action  string
		Channel reference
	}
	Components struct {
		Messages map[string]struct{ Payload reference }
		Schemas  map[string]struct{ Properties map[string]any }
	}
}

type reference struct {
	Ref string `json:"$ref"`
}

func readAsyncAPI(t *testing.T, from fs.FS) (document asyncAPI) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal(read(t, from, "asyncapi.yaml"), &document))
	return document
}

// EVT-10.
func TestTheAsyncAPIDocumentIsValid(t *testing.T) {
	t.Parallel()
	packed, err := os.Open("testdata/asyncapi-3.1.0.json.gz")
	require.NoError(t, err)
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	require.NoError(t, err)
	official, err := jsonschema.UnmarshalJSON(unpacked)
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("https://asyncapi.test/", official))
	s, err := compiler.Compile("https://asyncapi.test/")
	require.NoError(t, err)

	for name, from := range map[string]fs.FS{"of a fake": written(t, reserveStock()), "published": schemas.Files} {
		document, err := yaml.YAMLToJSON(read(t, from, "asyncapi.yaml"))
		require.NoError(t, err)
		require.NoError(t, s.Validate(parsed(t, document)), name)
		require.Error(t, s.Validate(parsed(t, bytes.ReplaceAll(document, []byte(`"address"`), []byte(`"adress"`)))), name)
	}
}

func TestEveryMessageHasAChannelAndASchema(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]fs.FS{"of a fake": written(t), "published": schemas.Files} {
		document := readAsyncAPI(t, from)
		for _, e := range events.All() {
			wire := events.WireType(e)
			require.Equal(t, wire, document.Channels[wire].Address, name)
			payload := document.Components.Messages[wire].Payload.Ref
			require.Contains(t, string(read(t, from, strings.TrimPrefix(payload, "./"))), `"title": "`+e.EventType()+`"`, name)
		}
		require.Len(t, document.Channels, len(events.All()), name)
		require.Len(t, document.Components.Messages, len(events.All()), name)
	}
}

func TestAFunctionSendsWhatItEmitsAndReceivesWhatItConsumes(t *testing.T) {
	t.Parallel()
	operations := readAsyncAPI(t, written(t, reserveStock())).Operations
	require.Len(t, operations, 3)
	for name, want := range map[string][2]string{
		"reserve-stock.receive.order.placed": {"receive", "#/channels/shop.popup.order.placed"},
		"reserve-stock.send.stock.reserved":  {"send", "#/channels/shop.popup.stock.reserved"},
		"reserve-stock.send.stock.short":     {"send", "#/channels/shop.popup.stock.short"},
	} {
		require.Equal(t, want, [2]string{operations[name].Action, operations[name].Channel.Ref}, name)
	}
}

func TestTheAttributesAreThoseOnTheWire(t *testing.T) {
	t.Parallel()
	full := cloudevent.Message{
		ID: "1", Type: "order.placed", Source: "/functions/place-order", Subject: "2", OrderID: "2", CausationID: "3",
		Version: 1, Delayed: true, TraceParent: "00-1-1-01", Time: time.Unix(0, 0),
	}
	described := readAsyncAPI(t, written(t)).Components.Schemas["attributes"].Properties
	for name := range full.Attributes("https://shop.example") {
		require.Contains(t, described, name)
	}
	require.Len(t, described, len(full.Attributes("https://shop.example")))
}

func TestRoutesAreSortedAndNameTheirFunction(t *testing.T) {
	t.Parallel()
	orders := door{
		{Method: "POST", Path: "/v1/orders", Access: access.All},
		{Method: "GET", Path: "/v1/orders/{order_id}", Access: access.Customer},
		{Method: "GET", Path: "/v1/orders", Access: access.Staff},
	}
	made := written(t, orders.function("serve-orders"), reserveStock(), door{get("/v1/levels")}.function("serve-stock"),
		door{}.function("serve-gateway"))
	require.JSONEq(t, `[
		{"method": "GET", "path": "/v1/levels", "who": "all", "function": "serve-stock"},
		{"method": "GET", "path": "/v1/orders", "who": "staff", "function": "serve-orders"},
		{"method": "POST", "path": "/v1/orders", "who": "all", "function": "serve-orders"},
		{"method": "GET", "path": "/v1/orders/{order_id}", "who": "cust", "function": "serve-orders"}
	]`, string(read(t, made, "routes.json")))
	require.JSONEq(t, "[]", string(read(t, written(t), "routes.json")))
}

func TestTwoFunctionsCannotServeOneRoute(t *testing.T) {
	t.Parallel()
	both := []function.Function{
		door{get("/v1/orders")}.function("serve-orders"), door{get("/v1/orders")}.function("serve-stock"),
	}
	err := contract.Write(filepath.Join(repository(t), "schemas"), both)
	require.ErrorContains(t, err, "GET /v1/orders leads to serve-orders and to serve-stock")
}

// OPS-06.
func TestThePublishedSchemasAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	made, published := contents(t, written(t)), contents(t, schemas.Files)
	for _, of := range []map[string]string{made, published} {
		for name := range of {
			if strings.HasPrefix(name, "events/") {
				require.True(t, made[name] == published[name], "%s has changed: run make generate", name)
			}
		}
	}
}
