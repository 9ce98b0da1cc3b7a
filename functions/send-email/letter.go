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

// letter is all that a mail can tell.
type letter struct {
	MailID         string
	GivenUp        bool
	Kind           string
	OrderID        string
	To, Name       string
	Locale         string
	Number         string
	Status         string
	Reason         string
	Total          money.Amount
	Method, URI    string
	Carrier        string
	TrackingNumber string
	Address        string
	Items          []item
	Link           string
}

type item struct {
	Name       string `json:"name"`
	Quantity   int64  `json:"quantity"`
	TotalMinor int64  `json:"total_minor"`
}

// Price is an item's total as the reader writes it.
func (l letter) Price(i item) string {
	return money.Amount{Minor: i.TotalMinor, Currency: l.Total.Currency}.Format(l.Locale)
}

// Sum is the order's total as the reader writes it.
func (l letter) Sum() string { return l.Total.Format(l.Locale) }

// path leads to the page about what the mail tells.
func (l letter) path() string {
	if l.OrderID == "" {
		return "/account"
	}
	return "/orders/" + l.OrderID
}

// language is that of the texts: Japanese or English.
func (l letter) language() string {
	if strings.HasPrefix(l.Locale, "ja") {
		return "ja"
	}
	return "en"
}

//go:embed letters/*
var letters embed.FS

var (
	texts = template.Must(template.ParseFS(letters, "letters/*.txt"))
	pages = htmltemplate.Must(htmltemplate.ParseFS(letters, "letters/*.html"))
)

// write writes a mail: its subject, and its text as plain text and as HTML. Nothing that a customer typed can be more
// than text in it.
func write(l letter) (subject, plain, html string, err error) {
	var head, body, page bytes.Buffer
	if err := texts.ExecuteTemplate(&head, l.language()+"/"+l.Kind+"/subject", l); err != nil {
		return "", "", "", fmt.Errorf("write mail %s: %w", l.MailID, err)
	}
	if err := texts.ExecuteTemplate(&body, l.language()+".txt", struct {
		letter
		Lead string
	}{l, lead(l)}); err != nil {
		return "", "", "", fmt.Errorf("write mail %s: %w", l.MailID, err)
	}
	subject = strings.Join(strings.Fields(head.String()), " ")
	err = pages.ExecuteTemplate(&page, "letter.html", map[string]any{
		"Language": l.language(), "Subject": subject, "Paragraphs": strings.Split(strings.TrimSpace(body.String()), "\n\n"), "Link": l.Link,
	})
	if err != nil {
		return "", "", "", fmt.Errorf("write mail %s: %w", l.MailID, err)
	}
	return subject, body.String(), page.String(), nil
}

// lead is the first paragraph, which tells what happened.
func lead(l letter) string {
	var text bytes.Buffer
	if err := texts.ExecuteTemplate(&text, l.language()+"/"+l.Kind+"/lead", l); err != nil {
		return l.Kind
	}
	return strings.TrimSpace(text.String())
}
