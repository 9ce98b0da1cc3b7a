package logging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/logging"
)

func ExampleRedact() {
	fmt.Println(logging.Redact("550 5.1.1 <ada@example.test>: Recipient address rejected"))
	fmt.Println(logging.Redact(`invalid input syntax for type uuid: "ada.byron+shop@example.test"`))
	fmt.Println(logging.Redact("GET /v1/users?email=ada%40example.test&page=2"))
	// Output:
	// 550 5.1.1 <[e-mail]>: Recipient address rejected
	// invalid input syntax for type uuid: "[e-mail]"
	// GET /v1/users?email=[e-mail]&page=2
}

func TestALineHasItsTraceAndNoAddress(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := logging.NewJSON(&out, slog.LevelInfo).With("function", "send-email")
	ctx := cloudevent.WithTrace(t.Context(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	var none error
	log.WarnContext(ctx, "to ada@example.test", "error", errors.New("550 <ada@example.test>"), "none", none, "n", 1)
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	delete(line, "time")
	require.Equal(t, map[string]any{
		"level": "WARN", "msg": "to [e-mail]", "version": logging.Version(), "function": "send-email", "error": "550 <[e-mail]>", "n": 1.0,
		"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
	}, line)
}
