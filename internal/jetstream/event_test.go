package jetstream

import (
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// anyEvent draws a valid event with odd attributes.
func anyEvent(t *rapid.T) Event {
	text := rapid.OneOf(rapid.StringMatching(`[a-z.%*> é湯]{1,12}`),
		rapid.SampledFrom([]string{".", "..", "a..b", "%2E", "a b", "*", ">", "a\tb", "\u00a0"}))
	return Event{
		Attributes: map[string]string{
			"specversion": "1.0", "id": text.Draw(t, "id"), "type": text.Draw(t, "type"), "source": "/s",
			"subject": text.Draw(t, "subject"), "ext": text.Draw(t, "ext"),
		},
		Data: rapid.SliceOf(rapid.Byte()).Draw(t, "data"),
	}
}

func TestAnEventIsReadAsItWasStored(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := anyEvent(t)
		msg := e.message(subjectOf("s", e.Type()))
		for _, values := range msg.Header {
			for i := range len(values[0]) {
				if b := values[0][i]; b <= ' ' || b > '~' {
					t.Fatalf("header %q", values[0])
				}
			}
		}
		if got := eventOf(msg.Header, msg.Data); got.identity() != e.identity() || len(got.Attributes) != len(e.Attributes) {
			t.Fatalf("%v is read as %v", e, got)
		}
		for name, value := range e.Attributes {
			if got := eventOf(msg.Header, msg.Data).Attributes[name]; got != value {
				t.Fatalf("%s: %q is read as %q", name, value, got)
			}
		}
	})
}

func TestTwoTypesNeverShareASubject(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one, two := anyEvent(t).Type(), anyEvent(t).Type()
		if one != two && subjectOf("s", one) == subjectOf("s", two) {
			t.Fatalf("%q and %q", one, two)
		}
	})
}

func TestAnEventOfTheSDKIsTheSameAfterwards(t *testing.T) {
	t.Parallel()
	c := cloudevents.New()
	c.SetID("1")
	c.SetType("a.b")
	c.SetSource("https://shop.example/x")
	c.SetExtension("n", 7)
	require.NoError(t, c.SetData("text/plain", []byte("hello")))
	again, err := FromCloudEvent(c).CloudEvent()
	require.NoError(t, err)
	require.Equal(t, []any{"1", "a.b", "https://shop.example/x", "7", "text/plain", "hello"},
		[]any{
			again.ID(), again.Type(), again.Source(), again.Extensions()["n"], again.DataContentType(), string(again.Data()),
		})
}
