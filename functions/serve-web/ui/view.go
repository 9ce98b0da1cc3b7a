// Package ui is the frame of every page, and the components that pages are made of. It knows no handlers and calls
// nothing.
package ui

import (
	"time"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/text"
	"github.com/popup-shop/popup/internal/money"
)

// Shop is what the frame shows of the shop.
type Shop struct {
	Name    string
	Tagline string // "" leaves it out
	Contact string // e-mail address; "" leaves it out
	URL     string // of the shop, for links that leave it
}

// User is a visitor who has signed in, or a guest who has a number.
type User struct {
	ID    string
	Email string
	Role  string
}

// Notice is a short message after an action.
type Notice struct {
	Kind string // "good", or "bad"
	Text string
}

// View is what all components of one page see: the visitor's language and session, and where they are.
type View struct {
	Language string
	Theme    string // "light", "dark", or "" for the system's
	Shop     Shop
	User     User
	Path     string // of the page with its query, for forms that return to it
	Notices  []Notice
	Static   func(name string) string // address of a static file
	Style    string                   // address of the style
	Basket   func() int64             // number of items in the basket
	Nonce    string                   // unique to the response, for ids that must not repeat
}

// T returns a text in the visitor's language.
func (v *View) T(key string, arguments ...any) string { return text.Get(v.Language, key, arguments...) }

// SignedIn reports whether the visitor has an account and is signed in.
func (v *View) SignedIn() bool { return v.User.ID != "" && v.User.Role != "guest" }

// IsStaff reports whether the visitor may open the office.
func (v *View) IsStaff() bool { return v.User.Role == "staff" || v.User.Role == "admin" }

// Money writes an amount as people of the visitor's language do.
func (v *View) Money(a client.Amount) string {
	return money.Amount{Minor: a.Minor, Currency: a.Currency}.Format(v.Language)
}

// Day writes a date.
func (v *View) Day(t time.Time) string { return t.UTC().Format(v.T("format.day")) }

// Moment writes a date with its time. A script of the page shows it in the visitor's time zone.
func (v *View) Moment(t time.Time) string { return t.UTC().Format(v.T("format.moment")) }

// Other returns the language that the switch leads to.
func (v *View) Other() string {
	for _, language := range text.Languages() {
		if language != v.Language {
			return language
		}
	}
	return v.Language
}
