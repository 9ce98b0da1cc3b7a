package sendemail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"text/template"

	"github.com/popup-shop/popup/internal/money"
)

// message has all that the templates of mails use.
type message struct {
	MailID         string
	Tries          int
	GivenUp        bool
	Kind           string
	OrderID        string
	To, Name       string
	Locale         string
	Number         string
	Status         string
	Reason         string
	Total          money.Amount
	Subtotal       int64
	DeliveryFee    int64
	Tax            int64
	Method, URI    string
	Carrier        string
	TrackingNumber string
	Address        string
	Items          []item
	Link           string
	Token          string // of a link to set a new password
}

type item struct {
	Name       string `json:"name"`
	Quantity   int64  `json:"quantity"`
	TotalMinor int64  `json:"total_minor"`
}

// Sum returns the total of the order, formatted for the locale.
func (l message) Sum() string { return l.Total.Format(l.Locale) }

// In returns an amount in the currency of the order, formatted for the locale.
func (l message) In(minor int64) string {
	return money.Amount{Minor: minor, Currency: l.Total.Currency}.Format(l.Locale)
}

// path returns the path of the page to which the mail links.
func (l message) path() string {
	switch {
	case l.Token != "":
		return "/reset/" + l.Token
	case l.OrderID == "":
		return "/account"
	}
	return "/orders/" + l.OrderID
}

// language returns the language of the texts: Japanese or English.
func (l message) language() string {
	if strings.HasPrefix(l.Locale, "ja") {
		return "ja"
	}
	return "en"
}

//go:embed templates/*
var templates embed.FS

var (
	texts = template.Must(template.ParseFS(templates, "templates/*.txt"))
	pages = htmltemplate.Must(htmltemplate.ParseFS(templates, "templates/*.html"))
)

// renderTexts returns the subject of a mail, and its text as plain text and as HTML. Texts of customers are escaped.
func renderTexts(l message) (subject, plain, html string, err error) {
	var head, body, page bytes.Buffer
	if err := texts.ExecuteTemplate(&head, l.language()+"/"+l.Kind+"/subject", l); err != nil {
		return "", "", "", fmt.Errorf("write mail %s: %w", l.MailID, err)
	}
	text := struct {
		message
		Lead string
	}{l, renderLead(l)}
	if err := texts.ExecuteTemplate(&body, l.language()+".txt", text); err != nil {
		return "", "", "", fmt.Errorf("write mail %s: %w", l.MailID, err)
	}
	subject = strings.Join(strings.Fields(head.String()), " ")
	err = pages.ExecuteTemplate(&page, "mail.html", map[string]any{
		"Language": l.language(), "Subject": subject, "Link": l.Link,
		"Paragraphs": strings.Split(strings.TrimSpace(body.String()), "\n\n"),
	})
	if err != nil {
		return "", "", "", fmt.Errorf("write mail %s: %w", l.MailID, err)
	}
	return subject, body.String(), page.String(), nil
}

// renderLead returns the first paragraph.
func renderLead(l message) string {
	var text bytes.Buffer
	if err := texts.ExecuteTemplate(&text, l.language()+"/"+l.Kind+"/lead", l); err != nil {
		return l.Kind
	}
	return strings.TrimSpace(text.String())
}
