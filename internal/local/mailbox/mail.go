package mailbox

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Mail is one mail as it was received.
type Mail struct {
	summary
	Text string `json:"text"`
	HTML string `json:"html"`
}

// summary is what the index keeps of a mail.
type summary struct {
	ID         string    `json:"id"`
	From       string    `json:"from"` // from the mail; otherwise from the envelope
	To         []string  `json:"to"`   // from the envelope
	Subject    string    `json:"subject"`
	Date       time.Time `json:"date"` // from the mail; otherwise the time of receipt
	MessageID  string    `json:"message_id"`
	ReceivedAt time.Time `json:"received_at"`

	place place
}

func byID(a, b summary) int { return strings.Compare(a.ID, b.ID) }

// maxDepth is how deep parts may be nested in parts.
const maxDepth = 8

var words mime.WordDecoder

// summarise reads the headers of a mail.
func summarise(id uuid.UUID, raw []byte) summary {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		m = &mail.Message{Header: ownHeader(raw)}
	}
	return summaryOf(id, m.Header)
}

// parse reads a mail. One that follows no rules is shown as it is.
func parse(id uuid.UUID, raw []byte) Mail {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Mail{summary: summaryOf(id, ownHeader(raw)), Text: strings.ToValidUTF8(string(raw), "\uFFFD")}
	}
	parsed := Mail{summary: summaryOf(id, m.Header)}
	parsed.read(textproto.MIMEHeader(m.Header), m.Body, 0)
	return parsed
}

// ownHeader returns the two lines that session wrote.
func ownHeader(raw []byte) mail.Header {
	h := mail.Header{}
	for _, line := range bytes.SplitN(raw, []byte("\r\n"), 3)[:2] {
		name, value, _ := strings.Cut(string(line), ": ")
		h[name] = []string{value}
	}
	return h
}

func summaryOf(id uuid.UUID, h mail.Header) summary {
	received := time.Unix(id.Time().UnixTime()).UTC()
	s := summary{
		ID:         id.String(),
		From:       decode(h.Get("From")),
		To:         strings.Split(h.Get(headerTo), separator),
		Subject:    decode(h.Get("Subject")),
		Date:       received,
		MessageID:  oneLine(h.Get("Message-Id")),
		ReceivedAt: received,
	}
	if s.From == "" {
		s.From = oneLine(h.Get(headerFrom))
	}
	if date, err := h.Date(); err == nil {
		s.Date = date
	}
	return s
}

// decode returns a header for people: its encoded words read, and on one line whatever they contain.
func decode(header string) string {
	decoded, err := words.DecodeHeader(header)
	if err != nil {
		decoded = header
	}
	return oneLine(strings.ToValidUTF8(decoded, "\uFFFD"))
}

// read takes the first text and the first HTML of a part and the parts in it.
func (m *Mail) read(h textproto.MIMEHeader, body io.Reader, depth int) {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind = "text/plain" // the default of RFC 2045
	}
	if strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || depth > maxDepth {
		return
	}
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		m.readParts(multipart.NewReader(body, params["boundary"]), depth)
	case kind == "text/plain" && m.Text == "":
		m.Text = content(h, body)
	case kind == "text/html" && m.HTML == "":
		m.HTML = content(h, body)
	}
}

// readParts reads up to the first part that is broken.
func (m *Mail) readParts(parts *multipart.Reader, depth int) {
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return
		}
		m.read(part.Header, part, depth+1)
	}
}

// content decodes a part, as far as it can be decoded.
func content(h textproto.MIMEHeader, body io.Reader) string {
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, _ := io.ReadAll(body) // the mail has at most maxBytes; what is broken ends it
	return strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\r\n", "\n")
}
