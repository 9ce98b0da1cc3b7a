package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/emersion/go-smtp"
)

// Our own headers, put before the mail's: who it was really from and for. The first of a name counts, so that a mail
// cannot bring its own.
const (
	headerFrom = "X-Mailbox-From"
	headerTo   = "X-Mailbox-To"
)

// session is one connection, one mail after the other.
type session struct {
	box  *Store
	from string
	to   []string
}

func (b *Store) session(*smtp.Conn) (smtp.Session, error) { return &session{box: b}, nil }

// Mail begins a mail.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = oneLine(from)
	return nil
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, oneLine(to))
	return nil
}

// Data stores the mail and answers once it is on disk, and passed on where there is a relay.
func (s *session) Data(r io.Reader) error {
	if refuse := s.box.refuse.Load(); refuse != nil {
		if err := (*refuse)(); err != nil {
			return tryAgain(err)
		}
	}
	raw := &bytes.Buffer{}
	fmt.Fprintf(raw, "%s: %s\r\n", headerFrom, s.from)
	fmt.Fprintf(raw, "%s: %s\r\n", headerTo, strings.Join(s.to, separator))
	own := raw.Len()
	if _, err := io.Copy(raw, r); err != nil {
		return err // too large, or the connection is gone
	}
	if relay := s.box.relay.Load(); relay != nil {
		if err := relay.Send(s.from, s.to, raw.Bytes()[own:]); err != nil {
			return refusal(err)
		}
	}
	if err := s.box.store(raw.Bytes()); err != nil {
		return tryAgain(err)
	}
	return nil
}

// refusal returns the response of a relay, or one that asks to try again.
func refusal(err error) error {
	var refused *smtp.SMTPError
	if errors.As(err, &refused) {
		return refused
	}
	return tryAgain(err)
}

// Reset forgets the mail that was begun.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout ends the connection.
func (s *session) Logout() error { return nil }

func tryAgain(err error) error {
	return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: oneLine(err.Error())}
}

// separator stands between recipients in our header: a control, so that no recipient contains it.
const separator = "\t"

// oneLine replaces what could end a line, separate recipients or play tricks with a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
