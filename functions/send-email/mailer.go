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

	"github.com/popup-shop/popup/internal/mailtext"
	"github.com/popup-shop/popup/internal/ordertoken"
	"github.com/popup-shop/popup/internal/typed"
)

// sendTimeout is the timeout for each step of sending a mail.
const sendTimeout = 5 * time.Second

// mailer sends mails to the mail server. It keeps connections open for the next mail.
type mailer struct {
	settings Settings
	tokens   *ordertoken.Source

	mu   sync.Mutex
	idle []*smtp.Client
}

// errDeliveryUnknown reports that the connection broke after the whole mail was sent and before the server's response:
// the server may have accepted the mail or not.
var errDeliveryUnknown = errors.New("the response of the mail server was lost")

// errRefused reports that the mail server will never accept the mail: it refused the recipient or the text for good (5xx).
var errRefused = errors.New("the mail server refused the mail")

// send sends a mail. nil means that the server has accepted it; an error other than errDeliveryUnknown means that it has not.
func (p *mailer) send(ctx context.Context, l mailtext.Message) error {
	l.Link = strings.TrimRight(p.settings.PublicURL, "/") + l.Path()
	m, err := p.render(l)
	if err != nil {
		return err
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	connection, err := p.connection(ctx, client)
	if err != nil {
		return fmt.Errorf("connect to mail server: %w", err)
	}
	if err := client.SendWithSMTPClient(connection, m); err != nil {
		_ = connection.Close() // its state is unknown
		return sendError(m, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, connection)
	return nil
}

// sendError returns the error of send for an error of the mail client.
func sendError(m *mail.Msg, err error) error {
	var sending *mail.SendError
	switch {
	case m.IsDelivered(): // it broke after the server had accepted the mail
		return nil
	case errors.As(err, &sending) && sending.Reason == mail.ErrSMTPDataClose && sending.ErrorCode() == 0:
		err = fmt.Errorf("%w: %w", errDeliveryUnknown, err)
	case errors.As(err, &sending) && (sending.Reason == mail.ErrSMTPRcptTo || sending.Reason == mail.ErrSMTPDataClose) && sending.ErrorCode() >= 500:
		err = fmt.Errorf("%w: %w", errRefused, err)
	}
	return fmt.Errorf("send mail: %w", err)
}

// connection returns an idle connection that still works, or a new one.
func (p *mailer) connection(ctx context.Context, client *mail.Client) (*smtp.Client, error) {
	for {
		p.mu.Lock()
		if len(p.idle) == 0 {
			p.mu.Unlock()
			return client.DialToSMTPClientWithContext(ctx)
		}
		last := len(p.idle) - 1
		conn := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		if conn.Reset() == nil {
			return conn, nil
		}
		_ = conn.Close() // the server has closed it
	}
}

// render returns the message to send. Its Message-ID is the same for each attempt.
func (p *mailer) render(l mailtext.Message) (*mail.Msg, error) {
	subject, plain, html, err := mailtext.Render(l)
	if err != nil {
		return nil, err
	}
	from, err := netmail.ParseAddress(p.settings.From)
	if err != nil {
		return nil, fmt.Errorf("MAIL_FROM=%s: %w", p.settings.From, err)
	}
	to := netmail.Address{Name: strings.Join(strings.Fields(l.Name), " "), Address: typed.Email(l.To)}
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

// client returns a client for the server of SMTP_URL.
func (p *mailer) client() (*mail.Client, error) {
	u, err := url.Parse(p.settings.SMTP)
	if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" {
		return nil, fmt.Errorf("SMTP_URL: must be smtp://host:port or smtps://host:port")
	}
	options := []mail.Option{mail.WithTimeout(sendTimeout), mail.WithTLSPolicy(mail.TLSOpportunistic)}
	if u.Scheme == "smtps" {
		options = append(options, mail.WithSSL())
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		options = append(options, mail.WithPort(port))
	}
	if password, ok := u.User.Password(); ok {
		options = append(options,
			mail.WithSMTPAuth(mail.SMTPAuthPlain), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return mail.NewClient(u.Hostname(), options...)
}
