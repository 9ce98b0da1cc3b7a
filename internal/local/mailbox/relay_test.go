package mailbox

import (
	"errors"
	"net"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// serveBox returns a box that is served, and its address.
func serveBox(t *testing.T) (*Store, string) {
	t.Helper()
	b, err := Open(t.TempDir())
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = b.Serve(l) }()
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b, l.Addr().String()
}

// OPS-57: with a mail server, a mail goes there and stays in the box.
func TestMailIsPassedOnAndStays(t *testing.T) {
	t.Parallel()
	here, address := serveBox(t)
	there, upstream := serveBox(t)
	relay, err := ParseRelay("smtp://" + upstream)
	require.NoError(t, err)
	relay.TakeFrom(here)
	mail := []byte("From: shop@example.test\r\nTo: ada@example.test\r\nSubject: Your order\r\n\r\nHello\r\n")
	client, err := ParseRelay("smtp://" + address)
	require.NoError(t, err)
	require.NoError(t, client.Send("shop@example.test", []string{"ada@example.test"}, mail))
	require.Len(t, here.index, 1)
	require.Len(t, there.index, 1)
	require.Equal(t, "Your order", there.index[0].Subject)
	require.Equal(t, []string{"ada@example.test"}, there.index[0].To)

	there.RejectWith(func() error { return errors.New("the disk is full") })
	err = client.Send("shop@example.test", []string{"ada@example.test"}, mail)
	var refused *smtp.SMTPError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 451, refused.Code)
	require.Len(t, here.index, 1, "a mail that the server refuses is tried again, and shown once it is sent")
	require.NoError(t, there.Close())
	require.ErrorAs(t, client.Send("shop@example.test", []string{"ada@example.test"}, mail), &refused)
	require.Equal(t, 451, refused.Code)
}

func TestRelayAddressesAreChecked(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"", "localhost:25", "http://localhost", "smtp://", "smtp://user:geheim@"} {
		_, err := ParseRelay(wrong)
		require.ErrorContains(t, err, "SMTP_URL", wrong)
		require.NotContains(t, err.Error(), "geheim")
	}
	r, err := ParseRelay("smtps://user:secret@mail.example.test")
	require.NoError(t, err)
	require.Equal(t, Relay{"mail.example.test:465", true, "user", "secret"}, *r)
}
