package sendemail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// sendIn is how long handing over one mail may take.
const sendIn = 5 * time.Second

// post hands mails to the mail server, over connections that are kept for the next mail.
type post struct {
	settings Settings

	mu   sync.Mutex
	idle []*smtp.Client
}

// errUnsure says that the server heard a whole mail and its answer was lost: it may have taken it or not.
var errUnsure = errors.New("the mail server's answer was lost")

// send hands a mail over. nil means that the server took it, any error but errUnsure that it did not.
func (p *post) send(ctx context.Context, l letter) error {
	l.Link = strings.TrimRight(p.settings.PublicURL, "/") + l.path()
	m, err := p.message(l)
	if err != nil {
		return err
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendIn)
	defer cancel()
	connection, err := p.connection(ctx, client)
	if err != nil {
		return fmt.Errorf("reach mail server: %w", err)
	}
	if err := client.SendWithSMTPClient(connection, m); err != nil {
		_ = connection.Close() // whatever state it is in
		return outcome(m, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, connection)
	return nil
}

// outcome is what a broken conversation means for its mail.
func outcome(m *mail.Msg, err error) error {
	var sending *mail.SendError
	switch {
	case m.IsDelivered(): // it broke after the server's yes
		return nil
	case errors.As(err, &sending) && sending.Reason == mail.ErrSMTPDataClose && sending.ErrorCode() == 0:
		err = fmt.Errorf("%w: %w", errUnsure, err)
	}
	return fmt.Errorf("hand over mail: %w", err)
}

// connection is one that was kept and still answers, or a new one.
func (p *post) connection(ctx context.Context, client *mail.Client) (*smtp.Client, error) {
	for {
		p.mu.Lock()
		if len(p.idle) == 0 {
			p.mu.Unlock()
			return client.DialToSMTPClientWithContext(ctx)
		}
		last := len(p.idle) - 1
		kept := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		if kept.Reset() == nil {
			return kept, nil
		}
		_ = kept.Close() // the server closed it before us
	}
}

// message is the mail as it goes over the wire. Its Message-ID is that of order and kind, however often it is sent.
func (p *post) message(l letter) (*mail.Msg, error) {
	subject, plain, html, err := write(l)
	if err != nil {
		return nil, err
	}
	from, err := netmail.ParseAddress(p.settings.From)
	if err != nil {
		return nil, fmt.Errorf("MAIL_FROM=%s: %w", p.settings.From, err)
	}
	to := netmail.Address{Name: strings.Join(strings.Fields(l.Name), " "), Address: l.To}
	if strings.HasPrefix(l.Kind, "staff_") {
		to = netmail.Address{Address: p.settings.Staff}
	}
	m := mail.NewMsg()
	m.FromMailAddress(from)
	m.ToMailAddress(&to)
	m.Subject(subject)
	m.SetDate()
	_, domain, _ := strings.Cut(from.Address, "@")
	m.SetMessageIDWithValue(l.MailID + "@" + domain)
	m.SetBodyString(mail.TypeTextPlain, plain)
	m.AddAlternativeString(mail.TypeTextHTML, html)
	return m, nil
}

// client reads SMTP_URL.
func (p *post) client() (*mail.Client, error) {
	u, err := url.Parse(p.settings.SMTP)
	if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" {
		return nil, fmt.Errorf("SMTP_URL: must be smtp://host:port or smtps://host:port")
	}
	options := []mail.Option{mail.WithTimeout(sendIn), mail.WithTLSPolicy(mail.TLSOpportunistic)}
	if u.Scheme == "smtps" {
		options = append(options, mail.WithSSL())
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		options = append(options, mail.WithPort(port))
	}
	if password, set := u.User.Password(); set {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthPlain), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return mail.NewClient(u.Hostname(), options...)
}
