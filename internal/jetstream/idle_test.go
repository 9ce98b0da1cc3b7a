package jetstream_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/jetstream"
)

func TestAnIdleServerStoresEventsAndCloses(t *testing.T) {
	for _, idle := range [][]bool{{true}, {true, true}, {false}, {true, false}, {true, false, true}} {
		s, err := jetstream.StartServer(t.TempDir())
		require.NoError(t, err)
		b, err := jetstream.Open(t.Context(), s.Conn, jetstream.Stream{Name: "shop"})
		require.NoError(t, err)
		for _, idle := range idle {
			s.SetIdle(idle)
		}
		e := jetstream.Event{
			Attributes: map[string]string{"specversion": "1.0", "id": "1", "type": "shop.popup.order.placed", "source": "/test"}, Data: []byte(`{}`),
		}
		require.NoError(t, b.Publish(t.Context(), []jetstream.Event{e})[0])
		s.Close()
	}
}
