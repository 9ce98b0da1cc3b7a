package local

import (
	"strings"

	"github.com/popup-shop/popup/internal/function"
)

func (s *Shop) outside() function.Dependencies {
	return function.Dependencies{"broker": s.Engine.Ready, "mail": function.DialCheck(s.smtpAddress()), "s3": function.DialCheck(s.s3Address())}
}

// smtpAddress is that of the mail server at which mails end.
func (s *Shop) smtpAddress() string {
	if s.relay != nil {
		return s.relay.Address()
	}
	return strings.TrimPrefix(s.SMTP, "smtp://")
}

func (s *Shop) s3Address() string { return strings.TrimPrefix(s.Bucket.URL, "http://") }
