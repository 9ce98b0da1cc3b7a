package cloudevent_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/cloudevent"
)

// brokerLimit is how many bytes of a response Knative's brokers carry along.
const brokerLimit = 1024

// Brokers carry a response raw or in base64, and cut it.
func TestARejectionSurvivesWhatBrokersDoToIt(t *testing.T) {
	t.Parallel()
	cut := func(text string) string { return text[:min(len(text), brokerLimit)] }
	for _, reason := range []string{"", "no", strings.Repeat("a", 5000), strings.Repeat("\"", 5000), strings.Repeat("<", 5000), strings.Repeat("商", 5000), strings.Repeat("\x01", 5000)} {
		body, err := json.Marshal(cloudevent.NewRejection(reason))
		require.NoError(t, err)
		for form, data := range map[string]string{
			"raw":                    cut(string(body) + "\n"),
			"base64 of what was cut": base64.StdEncoding.EncodeToString([]byte(cut(string(body) + "\n"))),
			"base64, cut":            cut(base64.StdEncoding.EncodeToString([]byte(string(body) + "\n"))),
		} {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{}`))
			r.Header = http.Header{
				"Content-Type": {"application/json"}, "Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Type": {"shop.popup.order.placed"}, "Ce-Source": {"/x"},
				"Ce-Knativeerrorcode": {"503"}, "Ce-Knativeerrordata": {data}, "Ce-Knativeerrordest": {"http://send-email.shop.svc.cluster.local"},
			}
			dead, err := cloudevent.ParseDeadLetter(r, []byte(`{}`))
			require.NoError(t, err)
			require.True(t, dead.Responded, "%s: %.40s", form, reason)
			require.Equal(t, []any{"send-email", 503, reason == ""}, []any{dead.Consumer, dead.Code, dead.Reason == ""}, form)
		}
	}
}

// What is no rejection is no response of the function.
func TestOtherBodiesAreNoRejection(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "Internal Server Error", "<html>", `{"message":"no"}`, `{"reason":null}`, `{"reason":7}`, "bm9uZQ==", `{"reason":"cut`} {
		_, ok := cloudevent.ParseRejection([]byte(body))
		require.False(t, ok, body)
	}
}
