package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// relayTimeout bounds each step of passing a mail on.
const relayTimeout = 4 * time.Second

// Relay is a mail server that a Store passes each mail on to.
type Relay struct {
	address  string
	tls      bool
	user     string
	password string
}

// ParseRelay reads an address such as smtp://user:password@host:port, or smtps:// for TLS.
func ParseRelay(text string) (*Relay, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" {
		return nil, errors.New("SMTP_URL: must be smtp://host:port or smtps://host:port") // it may hold a password
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"smtp": "25", "smtps": "465"}[u.Scheme]
	}
	password, _ := u.User.Password()
	return &Relay{net.JoinHostPort(u.Hostname(), port), u.Scheme == "smtps", u.User.Username(), password}, nil
}

// Address returns host and port.
func (r *Relay) Address() string { return r.address }

// TakeFrom has every mail of a box sent to the server before it is stored. A mail that the server refuses is refused.
func (r *Relay) TakeFrom(b *Store) { b.relay.Store(r) }

// Send passes a mail on. Its error is the response of the server, where there is one.
func (r *Relay) Send(from string, to []string, mail []byte) error {
	client, err := r.dial()
	if err != nil {
		return fmt.Errorf("connect to mail server: %w", err)
	}
	defer client.Close()
	client.CommandTimeout, client.SubmissionTimeout = relayTimeout, relayTimeout
	if r.password != "" {
		if err := client.Auth(sasl.NewPlainClient("", r.user, r.password)); err != nil {
			return fmt.Errorf("authenticate at mail server: %w", err)
		}
	}
	if err := client.SendMail(from, to, bytes.NewReader(mail)); err != nil {
		return err
	}
	_ = client.Quit() // the mail is accepted
	return nil
}

// dial connects with TLS where the address asks for it or the server offers it.
func (r *Relay) dial() (*smtp.Client, error) {
	if r.tls {
		return smtp.DialTLS(r.address, nil)
	}
	client, err := smtp.Dial(r.address)
	if err != nil {
		return nil, err
	}
	if encrypted, _ := client.Extension("STARTTLS"); !encrypted {
		return client, nil
	}
	_ = client.Close()
	return smtp.DialStartTLS(r.address, nil)
}
