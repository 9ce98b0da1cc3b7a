package contract_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/contract"
	"github.com/popup-shop/popup/schemas"
)

func TestTheReleasedAPIIsCompatible(t *testing.T) {
	t.Parallel()
	require.Empty(t, contract.CompareAPI(os.DirFS("../../schemas/released"), schemas.Files))
}

const shop = `
components:
  schemas:
    Node:
      type: object
      required: [name]
      properties: {name: {type: string}, child: {$ref: "#/components/schemas/Node"}}
paths:
  /v1/nodes:
    get:
      parameters: [{name: q, in: query, schema: {type: string}}]
      responses:
        "200": {content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Node"}}}}}
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {note: {type: string}}}}}}
      responses:
        "201": {content: {application/json: {schema: {$ref: "#/components/schemas/Node"}}}}
        "202": {}
`

// A parameter that takes any text where it took ids breaks nobody; the other way round breaks callers.
func TestParametersMayTakeMore(t *testing.T) {
	t.Parallel()
	ids := strings.Replace(shop, "in: query, schema: {type: string}", "in: query, schema: {type: string, format: uuid}", 1)
	require.NotEqual(t, shop, ids)
	require.Empty(t, contract.CompareAPI(document(ids), document(shop)))
	require.Equal(t, []string{"GET /v1/nodes: parameter q was string and is string (uuid)"},
		contract.CompareAPI(document(shop), document(ids)))
}

func TestCompareAPIFindsBreakingChanges(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		old, new string
		broken   []string
	}{
		"the same":         {},
		"a new call":       {old: "    post:", new: "    put: {}\n    post:"},
		"a new field":      {old: "{name: {type: string},", new: "{name: {type: string}, size: {type: integer},"},
		"a new parameter":  {old: "[{name: q", new: "[{name: r, in: query, schema: {type: string}}, {name: q"},
		"a call is gone":   {old: "    post:", new: "    put:", broken: []string{"POST /v1/nodes: is gone"}},
		"a path is gone":   {old: "/v1/nodes", new: "/v1/knots", broken: []string{"GET /v1/nodes: is gone", "POST /v1/nodes: is gone"}},
		"an answer":        {old: `"202"`, new: `"204"`, broken: []string{"POST /v1/nodes: answer 202 is gone"}},
		"a form":           {old: "note: {type: string}}}}}", new: "note: {type: string}}}}, text/csv: {}}", broken: nil},
		"a parameter":      {old: "name: q", new: "name: query", broken: []string{"GET /v1/nodes: parameter q is gone"}},
		"another kind":     {old: "in: query, schema: {type: string}", new: "in: query, schema: {type: integer}", broken: []string{"GET /v1/nodes: parameter q was string and is integer"}},
		"one must":         {old: "in: query,", new: "in: query, required: true,", broken: []string{"GET /v1/nodes: parameter q is required now"}},
		"one must ask":     {old: "{type: object, properties: {note", new: "{type: object, required: [note], properties: {note", broken: []string{"POST /v1/nodes: request: note is required now"}},
		"one may ask":      {old: "{type: string}}}}}", new: "{type: string}, text: {type: string}}}}}", broken: nil},
		"one may not tell": {old: "required: [name]", new: "required: []", broken: []string{"GET /v1/nodes: answer 200:[].name is no longer required", "POST /v1/nodes: answer 201: name is no longer required"}},
		"more to tell":     {old: "properties: {name: {type: string},", new: "properties: {name: {type: string}, size: {type: integer},", broken: nil},
		"all to tell":      {old: "required: [name]", new: "required: [name, child]", broken: nil},
		"nothing to note":  {old: "properties: {note: {type: string}}", new: "properties: {}", broken: []string{"POST /v1/nodes: request: note is gone"}},
		"another name":     {old: "name: {type: string}", new: "name: {type: integer}", broken: []string{"GET /v1/nodes: answer 200:[].name was string and is integer", "POST /v1/nodes: answer 201: name was string and is integer"}},
		"unreadable":       {old: "paths:", new: "paths: [", broken: []string{""}},
		"no more children": {old: `, child: {$ref: "#/components/schemas/Node"}`, new: "", broken: []string{"GET /v1/nodes: answer 200:[].child is gone", "POST /v1/nodes: answer 201: child is gone"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, shop, of.old)
			broken := contract.CompareAPI(document(shop), document(strings.Replace(shop, of.old, of.new, 1)))
			if name == "unreadable" {
				require.Len(t, broken, 1)
				return
			}
			require.Equal(t, of.broken, broken)
		})
	}
}

func TestNothingIsBrokenBeforeTheFirstRelease(t *testing.T) {
	t.Parallel()
	require.Empty(t, contract.CompareAPI(fstest.MapFS{}, document(shop)))
}

func document(text string) fstest.MapFS { return fstest.MapFS{"openapi.yaml": {Data: []byte(text)}} }
