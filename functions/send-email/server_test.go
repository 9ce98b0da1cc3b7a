package sendemail_test

import (
	"bufio"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// server is a mail server that stores the mails that it receives, and can close the connection at the end of a mail.
type server struct {
	mu         sync.Mutex
	mails      []string
	recipients []string
	recipient  string // the response to a recipient
	last       string // the response to a mail before the server closes the connection; "" keeps it open
	hangUp     bool   // closes the connection without a response
}

// serve starts the server on the loopback interface and returns its SMTP_URL.
func (s *server) serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.talk(conn)
		}
	}()
	return "smtp://" + l.Addr().String()
}

func (s *server) talk(conn net.Conn) {
	defer conn.Close()
	say := func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) }
	in := bufio.NewReader(conn)
	say("220 test")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(verb) {
		case "DATA":
			say("354 go on")
			if s.take(in); s.hangUp {
				return
			}
			if s.last != "" {
				say(s.last)
				return
			}
		case "RCPT":
			s.mu.Lock()
			s.recipients = append(s.recipients, rest)
			s.mu.Unlock()
			if s.recipient != "" {
				say(s.recipient)
				continue
			}
		}
		say("250 fine")
	}
}

// take reads a mail to its end.
func (s *server) take(in *bufio.Reader) {
	var mail strings.Builder
	for line := ""; line != ".\r\n"; {
		mail.WriteString(line)
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, mail.String())
}

func (s *server) heard() (mails, recipients []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails), slices.Clone(s.recipients)
}
