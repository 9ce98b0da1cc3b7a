package function_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
)

// The ingresses of Knative's brokers reject what Validate rejects.
func TestEveryEventIsAValidCloudEvent(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	for _, e := range events.All() {
		t.Run(e.EventType(), func(t *testing.T) {
			m := shop.Store(t, told())
			m.Type = e.EventType()
			ce := m.CloudEvent("https://shop.example")
			require.NoError(t, ce.Validate())
			for what, value := range map[string]string{"dataschema": ce.DataSchema(), "source": ce.Source()} {
				u, err := url.Parse(value)
				require.NoError(t, err, what)
				require.True(t, u.IsAbs() && u.Host != "", "%s is %q", what, value)
			}
		})
	}
}
