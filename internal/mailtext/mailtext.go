// Package mailtext writes the texts of mails, from the current state of what they are about.
package mailtext

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"text/template"

	"github.com/popup-shop/popup/internal/money"
)

// Message has all that the templates of mails use.
type Message struct {
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
	Discount       int64
	Method, URI    string
	Carrier        string
	TrackingNumber string
	Address        string
	Items          []Item
	Link           string
	Token          string // of a link to set a new password
	TokenHash      []byte // of a guest's order
	OrderToken     string // of a guest's order, for the link; the mail shows it and nothing else does
}

// Item is a line of an order.
type Item struct {
	Name       string `json:"name"`
	Quantity   int64  `json:"quantity"`
	TotalMinor int64  `json:"total_minor"`
}

// Sum returns the total of the order, formatted for the locale.
func (l Message) Sum() string { return l.Total.Format(l.Locale) }

// In returns an amount in the currency of the order, formatted for the locale.
func (l Message) In(minor int64) string {
	return money.Amount{Minor: minor, Currency: l.Total.Currency}.Format(l.Locale)
}

// Path returns the path of the page to which the mail links. The token of a guest's order is in the fragment, which browsers keep to
// themselves.
func (l Message) Path() string {
	switch {
	case l.Token != "":
		return "/reset/" + l.Token
	case l.OrderID == "":
		return "/account"
	case strings.HasPrefix(l.Kind, "staff_"):
		return "/office/orders/" + l.OrderID
	case l.OrderToken != "":
		return "/o/" + l.Number + "#" + l.OrderToken
	}
	return "/o/" + l.Number
}

// OrderColumns are what the text of a mail needs of an order o with its address a and its newest payment p. OrderTables joins them to a
// table with order_id.
const (
	OrderColumns = `
		a.email, a.name, o.locale, o.order_number, o.status, o.reason, o.total_minor, o.currency,
		o.subtotal_minor, o.delivery_fee_minor, o.tax_minor, o.discount_minor, o.payment_method,
		coalesce(p.uri, ''), o.carrier, o.tracking_number,
		concat_ws(', ', nullif(a.address_line1, ''), nullif(a.address_line2, ''), nullif(a.postal_code, ''), nullif(a.city, ''),
			nullif(a.prefecture, ''), nullif(a.region, ''), nullif(a.country, '')),
		(SELECT json_agg(json_build_object('name', product_name, 'quantity', quantity, 'total_minor', total_minor) ORDER BY line)
		FROM orders.lines l WHERE l.order_id = o.order_id), o.token_hash`
	OrderTables = `
	JOIN orders.orders o USING (order_id)
	JOIN orders.addresses a USING (order_id)
	LEFT JOIN LATERAL (
		SELECT uri FROM payments.payments WHERE order_id = o.order_id ORDER BY created_at DESC LIMIT 1
	) p ON true`
)

// OrderFields returns where a row of OrderColumns is scanned into.
func (l *Message) OrderFields() []any {
	return []any{
		&l.To, &l.Name, &l.Locale, &l.Number, &l.Status, &l.Reason, &l.Total.Minor, &l.Total.Currency,
		&l.Subtotal, &l.DeliveryFee, &l.Tax, &l.Discount, &l.Method, &l.URI, &l.Carrier, &l.TrackingNumber, &l.Address, &l.Items, &l.TokenHash,
	}
}

// language returns the language of the texts: Japanese or English.
func (l Message) language() string {
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

// Render returns the subject of a mail, and its text as plain text and as HTML. Texts of customers are escaped.
func Render(l Message) (subject, plain, html string, err error) {
	var head, body, page bytes.Buffer
	if err := texts.ExecuteTemplate(&head, l.language()+"/"+l.Kind+"/subject", l); err != nil {
		return "", "", "", fmt.Errorf("write mail %s: %w", l.MailID, err)
	}
	text := struct {
		Message
		Lead string
	}{l, renderLead(l)}
	if err := texts.ExecuteTemplate(&body, l.language()+".txt", text); err != nil {
		return "", "", "", fmt.Errorf("write mail %s: %w", l.MailID, err)
	}
	plain = body.String()
	if l.Link != "" {
		plain = strings.TrimRight(plain, "\n") + "\n\n" + l.Link + "\n"
	}
	subject = strings.Join(strings.Fields(head.String()), " ")
	err = pages.ExecuteTemplate(&page, "mail.html", map[string]any{
		"Language": l.language(), "Subject": subject, "Link": l.Link,
		"Paragraphs": strings.Split(strings.TrimSpace(body.String()), "\n\n"),
	})
	if err != nil {
		return "", "", "", fmt.Errorf("write mail %s: %w", l.MailID, err)
	}
	return subject, plain, page.String(), nil
}

// renderLead returns the first paragraph.
func renderLead(l Message) string {
	var text bytes.Buffer
	if err := texts.ExecuteTemplate(&text, l.language()+"/"+l.Kind+"/lead", l); err != nil {
		return l.Kind
	}
	return strings.TrimSpace(text.String())
}
