package functions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// largest generates the largest requests that the contract admits, with texts of one letter.
type largest struct {
	document map[string]any
	letter   string
	ids      map[string]string // of existing objects, by the first part of a path
}

// usable has valid values for fields whose form is not in the schema, so that requests reach the database.
var usable = map[string]any{
	"email": strings.Repeat("a", 60) + "@example.test", "phone": "+49 40 1234567", "country": "DE",
	"postal_code":    "20457",
	"payment_method": "simulated", "currency": "EUR", "locale": "en", "sku": shoptest.Cap,
	"password": "correct horse battery",
}

// No request that the contract admits causes a 5xx, however large it is: a request that can't be stored is rejected.
func TestLargestRequestsAreStoredOrRejected(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	handlers := map[string]http.Handler{}
	for _, f := range all(t) {
		if f.Endpoints == nil {
			continue
		}
		mux := shop.Runtime(t, f.Name).ServeMux(shop.Function(t, f.Name))
		for _, r := range f.Endpoints.Routes() {
			handlers[r.Method+" "+r.Path] = mux
		}
	}
	ids := map[string]string{
		"products": shoptest.Scalar[string](t, shop, `SELECT product_id::text FROM catalogue.products WHERE sku = $1`,
			shoptest.Tee),
		"stores": shoptest.TheStore, "warehouses": shoptest.Harbour,
		"inventory": shoptest.Scalar[string](t, shop, `SELECT level_id::text FROM stock.levels WHERE sku = $1 LIMIT 1`,
			shoptest.Cap),
		"orders": shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1))).ID,
	}
	shop.Exec(t, `UPDATE catalogue.products SET name = repeat('商', 200) WHERE sku = $1`, shoptest.Cap)
	statuses := map[int]int{}
	for _, letter := range []string{"a", "<", "商", "😀", "\u2028", " ", "\u3000", "\u0085", "\v", "\u200b"} {
		l := largest{openAPI(t), letter, ids}
		for _, operation := range slices.Sorted(maps.Keys(handlers)) {
			for caller, bearer := range callers(t, shop, "stock") {
				r, body := l.request(operation, bearer)
				if r == nil {
					continue
				}
				w := httptest.NewRecorder()
				handlers[operation].ServeHTTP(w, r.WithContext(t.Context()))
				require.Less(t, w.Code, 500, "%s as %s with %q: %s %.400s\n%s", operation, caller, letter, w.Body, body, shop.Log())
				shoptest.CheckResponse(t, r, w.Code, w.Header(), w.Body.Bytes())
				statuses[w.Code]++
			}
		}
	}
	t.Log(statuses)
	require.Greater(t, statuses[http.StatusOK]+statuses[http.StatusCreated]+statuses[http.StatusAccepted], 50,
		"some are stored: %v", statuses)
}

// request returns the largest request of an operation with a JSON body, or nil.
func (l largest) request(operation, bearer string) (*http.Request, []byte) {
	method, path, _ := strings.Cut(operation, " ")
	described := l.document["paths"].(map[string]any)[path].(map[string]any)[strings.ToLower(method)].(map[string]any)
	requestBody, ok := described["requestBody"].(map[string]any)
	if !ok {
		return nil, nil
	}
	inJSON, ok := requestBody["content"].(map[string]any)["application/json"].(map[string]any)
	if !ok {
		return nil, nil
	}
	id, ok := l.ids[strings.Split(path, "/")[2]]
	if !ok {
		id = uuid.NewString()
	}
	body, err := json.Marshal(l.value("", inJSON["schema"].(map[string]any), 0))
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest(method, strings.ReplaceAll(path, "{id}", id), io.NopCloser(bytes.NewReader(body)))
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "Authorization": {bearer}, "Idempotency-Key": {uuid.NewString()},
		"Prefer": {"wait=0"},
	}
	return r, body
}

func (l largest) value(name string, schema map[string]any, depth int) any {
	if ref, ok := schema["$ref"].(string); ok {
		named := ref[strings.LastIndex(ref, "/")+1:]
		schema = l.document["components"].(map[string]any)["schemas"].(map[string]any)[named].(map[string]any)
	}
	if value, ok := usable[name]; ok {
		return value
	}
	if choices, ok := schema["enum"].([]any); ok {
		return choices[0]
	}
	switch kind := fmt.Sprint(schema["type"]); {
	case strings.Contains(kind, "object"):
		made := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for field, property := range properties {
			if slices.Contains(required, any(field)) || !strings.HasSuffix(field, "_id") && field != "pickup" &&
				field != "expected_total" {
				made[field] = l.value(field, property.(map[string]any), depth+1)
			}
		}
		return made
	case strings.Contains(kind, "array"):
		return l.items(name, schema, depth)
	case strings.Contains(kind, "integer"), strings.Contains(kind, "number"):
		if most, ok := schema["maximum"].(float64); ok {
			return int64(most)
		}
		return int64(1)
	case strings.Contains(kind, "boolean"):
		return true
	}
	return l.text(schema)
}

func (l largest) items(name string, schema map[string]any, depth int) any {
	most, ok := schema["maxItems"].(float64)
	if !ok {
		most = 100
	}
	items := make([]any, int(min(most, 100)))
	for i := range items {
		items[i] = l.value("", schema["items"].(map[string]any), depth+1)
	}
	return items
}

func (l largest) text(schema map[string]any) string {
	switch schema["format"] {
	case "uuid":
		return shoptest.TheStore
	case "date-time":
		return "2026-01-31T12:00:00Z"
	}
	if examples, ok := schema["examples"].([]any); ok && schema["pattern"] != nil {
		return fmt.Sprint(examples[0])
	}
	most, ok := schema["maxLength"].(float64)
	if !ok {
		most = 500
	}
	return strings.Repeat(l.letter, int(min(most, 12_000/float64(len(l.letter)))))
}
