package contract_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/contract"
	"github.com/popup-shop/popup/schemas"
)

// EVT-02.
func TestTheReleasedSchemasAreKept(t *testing.T) {
	t.Parallel()
	released := os.DirFS("../../schemas/released")
	require.NotEmpty(t, contents(t, released))
	require.Empty(t, contract.Compare(released, schemas.Files))
}

const released = `{
	"type": "object", "required": ["order_id", "lines"],
	"properties": {
		"order_id": {"type": "string", "format": "uuid"}, "note": {"type": "string"},
		"lines": {"type": "array", "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}}
	}
}`

// EVT-02.
func TestCompareNoticesWhatBreaksListeners(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		now    string
		broken []string
	}{
		"the same": {now: released},
		"a new optional field": {now: `{
			"type": "object", "required": ["order_id", "lines"],
			"properties": {
				"order_id": {"type": "string", "format": "uuid"}, "note": {"type": "string"}, "gift": {"type": "boolean"},
				"lines": {"type": "array", "items": {"type": "object", "required": ["sku"],
					"properties": {"sku": {"type": "string"}, "gift": {"type": "boolean"}}}}
			}
		}`},
		"a new required field": {now: `{
			"type": "object", "required": ["order_id", "lines", "gift"],
			"properties": {
				"order_id": {"type": "string", "format": "uuid"}, "note": {"type": "string"}, "gift": {"type": "boolean"},
				"lines": {"type": "array", "items": {"type": "object", "required": ["sku", "gift"],
					"properties": {"sku": {"type": "string"}, "gift": {"type": "boolean"}}}}
			}
		}`, broken: []string{"order.placed: lines[].gift is required now", "order.placed: gift is required now"}},
		"an optional field that became required": {now: `{
			"type": "object", "required": ["order_id", "lines", "note"],
			"properties": {
				"order_id": {"type": "string", "format": "uuid"}, "note": {"type": "string"},
				"lines": {"type": "array", "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}}
			}
		}`, broken: []string{"order.placed: note is required now"}},
		"a required field that became optional": {now: `{
			"type": "object", "required": ["lines"],
			"properties": {
				"order_id": {"type": "string", "format": "uuid"}, "note": {"type": "string"},
				"lines": {"type": "array", "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}}
			}
		}`, broken: []string{"order.placed: order_id is no longer required"}},
		"removed fields": {now: `{
			"type": "object", "required": ["lines"],
			"properties": {"note": {"type": "string"}, "lines": {"type": "array", "items": {"type": "object", "properties": {}}}}
		}`, broken: []string{"order.placed: lines[].sku is gone", "order.placed: order_id is gone"}},
		"changed types": {now: `{
			"type": "object", "required": ["order_id", "lines"],
			"properties": {
				"order_id": {"type": "string"}, "note": {"type": ["null", "string"]},
				"lines": {"type": "array", "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "integer"}}}}
			}
		}`, broken: []string{
			"order.placed: lines[].sku was string and is integer", "order.placed: note was string and is null or string",
			"order.placed: order_id was string (uuid) and is string",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, of.broken, contract.Compare(set("order.placed", released), set("order.placed", of.now)))
		})
	}
}

func set(event, schema string) fstest.MapFS {
	return fstest.MapFS{"events/" + event + ".json": {Data: []byte(schema)}}
}

func TestCompareNoticesAnEventThatIsGone(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"order.placed is gone"}, contract.Compare(set("order.placed", released), fstest.MapFS{}))
	require.Empty(t, contract.Compare(fstest.MapFS{}, set("order.placed", released)))
}

func TestCompareNoticesASchemaThatCannotBeRead(t *testing.T) {
	t.Parallel()
	require.Len(t, contract.Compare(set("order.placed", released), set("order.placed", "{")), 1)
}
