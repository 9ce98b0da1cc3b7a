package functions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/schemas"
)

// fuzzer generates requests from the contract: some valid, most slightly invalid.
type fuzzer struct {
	*rand.Rand
	document map[string]any
	ids      []string // of existing objects
}

// API-04: no request causes a 500, and every response matches the contract.
func TestNoRequestCausesA500(t *testing.T) {
	t.Parallel()
	const requests = 100_000
	shop := shoptest.Open(t, functions.All)
	handlers := map[string]http.Handler{}
	for _, f := range all(t) {
		if f.Endpoints != nil {
			for _, r := range f.Endpoints.Routes() {
				handlers[r.Method+" "+r.Path] = shop.Runtime(t, f.Name).ServeMux(shop.Function(t, f.Name))
			}
		}
	}
	var bearers []string
	seed := rand.Uint64()
	f := fuzzer{
		rand.New(rand.NewPCG(seed, 0)), openAPI(t),
		[]string{uuid.NewString(), shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1))).ID},
	}
	operations := shoptest.Operations(t)
	slices.Sort(operations)
	answered := map[int]int{}
	for n := range requests {
		if n%250 == 0 { // requests sign callers out and close their accounts
			bearers = slices.Collect(maps.Values(callers(t, shop, "stock")))
		}
		operation := operations[f.IntN(len(operations))]
		r, sent := f.request(operation, bearers[f.IntN(len(bearers))])
		w := httptest.NewRecorder()
		handlers[operation].ServeHTTP(w, r.WithContext(t.Context()))
		require.NotEqual(t, http.StatusInternalServerError, w.Code, "seed %d, request %d: %s %s %q %s", seed, n, r.Method,
			r.URL, sent, w.Body)
		shoptest.CheckResponse(t, r, w.Code, w.Header(), w.Body.Bytes())
		answered[w.Code]++
	}
	t.Log(answered)
	require.Greater(t, answered[http.StatusOK]+answered[http.StatusCreated], requests/50, "some are valid: %v", answered)
	require.Greater(t, answered[http.StatusBadRequest], requests/10, "%v", answered)
}

func openAPI(t testing.TB) (document map[string]any) {
	t.Helper()
	text, err := schemas.Files.ReadFile("openapi.yaml")
	require.NoError(t, err)
	require.NotContains(t, string(text), "uniqueItems", "the library panics when it compares items that are lists")
	require.NoError(t, yaml.Unmarshal(text, &document))
	return document
}

// request returns a request of an operation and its body.
func (f fuzzer) request(operation, bearer string) (*http.Request, []byte) {
	method, path, _ := strings.Cut(operation, " ")
	described := f.document["paths"].(map[string]any)[path].(map[string]any)[strings.ToLower(method)].(map[string]any)
	query, header := []string{}, http.Header{
		"Content-Type": {"application/json"}, "Authorization": {bearer}, "Idempotency-Key": {uuid.NewString()},
	}
	parameters, _ := described["parameters"].([]any)
	for _, each := range parameters {
		p := each.(map[string]any)
		value := strings.Map(printable, fmt.Sprint(f.value(p["schema"].(map[string]any), 0)))
		switch {
		case p["in"] == "path":
			if strings.Trim(value, ".") == "" { // would be another path
				value = "x"
			}
			path = strings.ReplaceAll(path, "{"+p["name"].(string)+"}", escape(value))
		case p["in"] == "query" && f.IntN(3) == 0:
			query = append(query, p["name"].(string)+"="+escape(value))
		case p["in"] == "header" && f.IntN(3) == 0:
			header.Set(p["name"].(string), value)
		}
	}
	body := f.body(described)
	r := httptest.NewRequest(method, path+"?"+strings.Join(query, "&"), io.NopCloser(bytes.NewReader(body)))
	r.Header = header
	return r, body
}

// body returns a body after the schema, which is sometimes truncated, doubled or otherwise damaged.
func (f fuzzer) body(described map[string]any) []byte {
	request, ok := described["requestBody"].(map[string]any)
	if !ok {
		return nil
	}
	inJSON, ok := request["content"].(map[string]any)["application/json"].(map[string]any)
	if !ok { // a picture
		return []byte("\x89PNG\x0D\x0A\x1A\x0A" + strings.Repeat("x", f.IntN(99)))
	}
	schema := inJSON["schema"].(map[string]any)
	body, err := json.Marshal(f.value(schema, 0))
	if err != nil {
		panic(err)
	}
	switch f.IntN(12) {
	case 0:
		return body[:f.IntN(len(body)+1)]
	case 1:
		return append(body, body...)
	case 2:
		return bytes.Repeat([]byte("["), f.IntN(40))
	case 3:
		if len(body) > 0 {
			body[f.IntN(len(body))] = byte(f.IntN(256))
		}
	}
	return body
}

var odd = []any{
	nil, true, -1, 0, 1e300, "", " ", "\x00", "\u202e", "' OR 1=1 --", "a\r\nX: y", "../..", "😀",
	[]any{},
	map[string]any{"a": 1},
	strings.Repeat("x", 3000),
}

// value returns a value after a schema, or sometimes an odd one.
func (f fuzzer) value(schema map[string]any, depth int) any {
	if ref, ok := schema["$ref"].(string); ok {
		name := ref[strings.LastIndex(ref, "/")+1:]
		schema = f.document["components"].(map[string]any)["schemas"].(map[string]any)[name].(map[string]any)
	}
	if f.IntN(25) == 0 || depth > 6 {
		return odd[f.IntN(len(odd))]
	}
	if examples, ok := schema["examples"].([]any); ok && f.IntN(4) > 0 {
		return examples[0]
	}
	if choices, ok := schema["enum"].([]any); ok {
		return choices[f.IntN(len(choices))]
	}
	switch kind := fmt.Sprint(schema["type"]); {
	case strings.Contains(kind, "object"):
		return f.object(schema, depth)
	case strings.Contains(kind, "array"):
		items := make([]any, f.IntN(3))
		for i := range items {
			items[i] = f.value(schema["items"].(map[string]any), depth+1)
		}
		return items
	case strings.Contains(kind, "integer"), strings.Contains(kind, "number"):
		return []int64{1, 2, 0, -1, 99, 100, 1 << 40, 9223372036854775807}[f.IntN(8)]
	case strings.Contains(kind, "boolean"):
		return f.IntN(2) == 0
	}
	return f.text(schema)
}

func (f fuzzer) object(schema map[string]any, depth int) any {
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	made := map[string]any{}
	for name, property := range properties {
		if slices.Contains(required, any(name)) && f.IntN(20) > 0 || f.IntN(3) == 0 {
			made[name] = f.value(property.(map[string]any), depth+1)
		}
	}
	if f.IntN(30) == 0 {
		made[fmt.Sprint("more", f.IntN(9))] = 1
	}
	return made
}

func (f fuzzer) text(schema map[string]any) string {
	switch schema["format"] {
	case "uuid":
		return f.ids[f.IntN(len(f.ids))]
	case "date-time":
		return "2026-01-31T12:00:00Z"
	}
	return []string{"Ada", shoptest.Cap, "ada@example.test", "+49 40 1234567", "DE", "EUR", "simulated", "20457", "inbound", "long enough password"}[f.IntN(10)]
}

// printable replaces characters that a request line or a header can't contain.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '_'
	}
	return r
}

func escape(text string) string {
	return url.PathEscape(text)
}
