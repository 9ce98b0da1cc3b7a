package shoptest

import (
	"bytes"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/popup-shop/popup/schemas"
)

const document = "openapi.json"

// contract is the document, ready to validate.
type contract struct {
	paths    map[string]map[string]any // operations by path and method
	routes   *http.ServeMux
	compiler *jsonschema.Compiler

	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema
}

var load = sync.OnceValues(func() (*contract, error) {
	text, err := schemas.Files.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	if text, err = yaml.YAMLToJSON(text); err != nil {
		return nil, err
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := &contract{
		paths: map[string]map[string]any{}, routes: http.NewServeMux(), compiler: jsonschema.NewCompiler(),
		compiled: map[string]*jsonschema.Schema{},
	}
	c.compiler.AssertFormat()
	paths, _ := parsed.(map[string]any)["paths"].(map[string]any)
	for path, item := range paths {
		c.paths[path] = item.(map[string]any)
		for method := range c.paths[path] {
			c.routes.Handle(strings.ToUpper(method)+" "+path, http.NotFoundHandler())
		}
	}
	return c, c.compiler.AddResource(document, parsed)
})

// Operations are the methods and paths of the contract: "GET /v1/orders/{id}".
func Operations(t testing.TB) (all []string) {
	t.Helper()
	c, err := load()
	require.NoError(t, err)
	for path, item := range c.paths {
		for method := range item {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	return all
}

// CheckResponse requires that an answer is one that the contract knows for this request, and returns the operation,
// which is empty for a request that the contract does not know. What goes wrong is a problem, whatever was asked.
func CheckResponse(t testing.TB, r *http.Request, status int, header http.Header, body []byte) (operation string) {
	t.Helper()
	c, err := load()
	require.NoError(t, err)
	_, operation = c.routes.Handler(r)
	at := "/components/schemas/Problem"
	media, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if status >= http.StatusBadRequest {
		require.Equal(t, "application/problem+json", media, "%s %s answered %d: %s", r.Method, r.URL, status, body)
	} else if operation != "" {
		at = c.answer(t, operation, status, media)
	}
	if at == "" || operation == "" && status < http.StatusBadRequest {
		return operation
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err, "%s answered %d: %s", operation, status, body)
	schema, err := c.schema(at)
	require.NoError(t, err)
	require.NoError(t, schema.Validate(value), "%s answered %d: %s", operation, status, body)
	return operation
}

// answer is where the schema of an answer is; there is none for an answer without a body or in another form than JSON.
func (c *contract) answer(t testing.TB, operation string, status int, media string) string {
	t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	described := c.paths[path][strings.ToLower(method)].(map[string]any)
	responses, _ := described["responses"].(map[string]any)
	response, known := responses[strconv.Itoa(status)].(map[string]any)
	require.True(t, known, "%s answers %d, which its contract does not know", operation, status)
	content, _ := response["content"].(map[string]any)
	if len(content) == 0 {
		return ""
	}
	require.Contains(t, content, media, "%s answers %d in a form which its contract does not know", operation, status)
	if media != "application/json" {
		return ""
	}
	return strings.Join([]string{"/paths", escaped(path), strings.ToLower(method), "responses", strconv.Itoa(status), "content", "application~1json", "schema"}, "/")
}

func escaped(name string) string { return strings.ReplaceAll(name, "/", "~1") }

func (c *contract) schema(at string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.compiled[at]; known != nil {
		return known, nil
	}
	compiled, err := c.compiler.Compile(document + "#" + at)
	c.compiled[at] = compiled
	return compiled, err
}
