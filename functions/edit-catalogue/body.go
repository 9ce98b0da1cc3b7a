package editcatalogue

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const (
	maxTags      = 50
	maxTagLength = 50 // characters
	maxPrice     = 1_000_000_000_000
)

// ProductBody is the input for a product.
type ProductBody struct {
	StoreID       string        `json:"store_id" format:"uuid"`
	Name          string        `json:"name" maxLength:"200"`
	Slug          string        `json:"slug,omitempty" maxLength:"80" doc:"Its words in addresses; by default they are made from the name."`
	Description   string        `json:"description,omitempty" maxLength:"20000"`
	SKU           string        `json:"sku" maxLength:"64"`
	Price         money.Amount  `json:"price"`
	CategoryID    string        `json:"category_id,omitempty" format:"uuid"`
	Tags          []string      `json:"tags,omitempty" maxItems:"500" doc:"At most 50 different tags of up to 50 characters."`
	OutsideNumber *int64        `json:"outside_number,omitempty" minimum:"1" doc:"Its number in an external catalogue."`
	Active        *bool         `json:"active,omitempty" doc:"Whether it is on sale; true by default."`
	Variants      []VariantBody `json:"variants,omitempty" maxItems:"1000" doc:"All variants of the product; without it they stay as they are."`
}

// VariantBody is the input for a variant.
type VariantBody struct {
	Name       string            `json:"name" maxLength:"200"`
	SKU        string            `json:"sku" maxLength:"64"`
	Attributes map[string]string `json:"attributes,omitempty" doc:"Such as size and colour."`
	Price      *money.Amount     `json:"price,omitempty" doc:"Its own price; by default the product's."`
}

func (b *ProductBody) active() bool { return b.Active == nil || *b.Active }

// Resolve normalises the tags, and returns every field that is wrong.
func (b *ProductBody) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	var faults faults
	faults.uuid("store_id", b.StoreID)
	if b.CategoryID != "" {
		faults.uuid("category_id", b.CategoryID)
	}
	faults.checkProduct(b)
	seen := map[string]bool{b.SKU: true}
	for i, v := range b.Variants {
		field := fmt.Sprintf("variants[%d].", i)
		faults.variant(field, v, b.Price.Currency)
		if seen[v.SKU] {
			faults.add(field+"sku", "occurs twice")
		}
		seen[v.SKU] = true
	}
	return web.FieldErrors(at, faults)
}

// Resolve returns every field that is wrong. That the price has the currency of the product is checked with the product.
func (b *VariantBody) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	var faults faults
	currency := ""
	if b.Price != nil {
		currency = b.Price.Currency
	}
	faults.variant("", *b, currency)
	return web.FieldErrors(at, faults)
}

// checkProduct checks what a product has beside its variants, and normalises the tags.
func (f *faults) checkProduct(b *ProductBody) {
	f.text("name", b.Name)
	f.length("name", b.Name, 200)
	f.slug("slug", b.Slug)
	f.length("description", b.Description, 20_000)
	f.sku("sku", b.SKU)
	f.length("sku", b.SKU, 64)
	f.price("price", b.Price)
	b.Tags = f.tags("tags", b.Tags)
}

// faults collects the wrong fields of a request.
type faults []problem.FieldError

func (f *faults) add(field, why string) {
	*f = append(*f, problem.FieldError{Field: field, Message: why})
}

func (f faults) problem() error {
	if len(f) == 0 {
		return nil
	}
	return problem.Invalid(f...)
}

func (f *faults) uuid(field, value string) {
	if !id.Valid(value) {
		f.add(field, "is not a UUID")
	}
}

// text requires a text that is not blank, on one line.
func (f *faults) text(field, value string) {
	switch {
	case strings.TrimSpace(value) == "":
		f.add(field, "must not be blank")
	case strings.ContainsFunc(value, unicode.IsControl):
		f.add(field, "must be text on one line")
	}
}

// slug accepts none, or a text with a letter or digit: the database makes its words a slug.
func (f *faults) slug(field, value string) {
	if value != "" && !strings.ContainsFunc(value, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		f.add(field, "has no letter or digit")
	}
}

func (f *faults) length(field, value string, most int) {
	if utf8.RuneCountInString(value) > most {
		f.add(field, fmt.Sprintf("is longer than %d characters", most))
	}
}

func (f *faults) sku(field, value string) {
	f.text(field, value)
	if strings.TrimSpace(value) != value {
		f.add(field, "must not begin or end with a space")
	}
}

func (f *faults) price(field string, price money.Amount) {
	if price.Minor < 0 || price.Minor > maxPrice {
		f.add(field+".amount_minor", "must not be below 0, and at most a trillion")
	}
	if _, ok := money.Exponent(price.Currency); !ok {
		f.add(field+".currency", "is not a currency of ISO 4217")
	}
}

// tags returns tags trimmed, each once.
func (f *faults) tags(field string, given []string) []string {
	tidy, seen := []string{}, map[string]bool{}
	for i, tag := range given {
		if tag = f.tag(fmt.Sprintf("%s[%d]", field, i), tag); !seen[tag] {
			tidy = append(tidy, tag)
		}
		seen[tag] = true
	}
	if len(tidy) > maxTags {
		f.add(field, "has more than 50 tags")
	}
	return tidy
}

func (f *faults) tag(field, tag string) string {
	tag = strings.TrimSpace(tag)
	f.text(field, tag)
	if len([]rune(tag)) > maxTagLength {
		f.add(field, "is longer than 50 characters")
	}
	return tag
}

// variant requires that a variant's own price has the currency of its product.
func (f *faults) variant(field string, v VariantBody, currency string) {
	f.text(field+"name", v.Name)
	f.sku(field+"sku", v.SKU)
	for name, value := range v.Attributes {
		f.text(field+"attributes", name)
		f.text(field+"attributes", value)
	}
	if v.Price == nil {
		return
	}
	f.price(field+"price", *v.Price)
	if v.Price.Currency != currency {
		f.add(field+"price.currency", "is not that of the product")
	}
}
