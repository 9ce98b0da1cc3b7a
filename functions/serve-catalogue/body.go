package servecatalogue

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/problem"
)

const (
	tagsAtMost  = 50
	tagAtMost   = 50 // characters
	priceAtMost = 1_000_000_000_000
)

// ProductBody is a product as staff gives it.
type ProductBody struct {
	StoreID       string        `json:"store_id" format:"uuid"`
	Name          string        `json:"name" maxLength:"200"`
	Description   string        `json:"description,omitempty" maxLength:"20000"`
	SKU           string        `json:"sku" maxLength:"64"`
	Price         money.Amount  `json:"price"`
	CategoryID    string        `json:"category_id,omitempty" format:"uuid"`
	Tags          []string      `json:"tags,omitempty" maxItems:"500" doc:"at most 50 different ones, of 50 characters"`
	OutsideNumber *int64        `json:"outside_number,omitempty" minimum:"1" doc:"its number in somebody else's catalogue"`
	Active        *bool         `json:"active,omitempty" doc:"true unless said"`
	Variants      []VariantBody `json:"variants,omitempty" maxItems:"1000" doc:"all that there are; without it they stay as they are"`
}

// VariantBody is a variant as staff gives it.
type VariantBody struct {
	Name       string            `json:"name" maxLength:"200"`
	SKU        string            `json:"sku" maxLength:"64"`
	Attributes map[string]string `json:"attributes,omitempty" doc:"size, colour or any other"`
	Price      *money.Amount     `json:"price,omitempty" doc:"that of the product unless said"`
}

func (b *ProductBody) active() bool { return b.Active == nil || *b.Active }

// check tidies the tags and refuses what cannot be a product, with every wrong field named.
func (b *ProductBody) check() error {
	var faults faults
	faults.uuid("store_id", b.StoreID)
	if b.CategoryID != "" {
		faults.uuid("category_id", b.CategoryID)
	}
	faults.text("name", b.Name)
	faults.sku("sku", b.SKU)
	faults.price("price", b.Price)
	b.Tags = faults.tags("tags", b.Tags)
	seen := map[string]bool{b.SKU: true}
	for i, v := range b.Variants {
		field := fmt.Sprintf("variants[%d].", i)
		faults.variant(field, v, b.Price.Currency)
		if seen[v.SKU] {
			faults.add(field+"sku", "is there twice")
		}
		seen[v.SKU] = true
	}
	return faults.problem()
}

// faults are the fields of a request that are wrong.
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

// text must say something, on one line.
func (f *faults) text(field, value string) {
	switch {
	case strings.TrimSpace(value) == "":
		f.add(field, "must not be blank")
	case strings.ContainsFunc(value, unicode.IsControl):
		f.add(field, "must be text on one line")
	}
}

func (f *faults) sku(field, value string) {
	f.text(field, value)
	if strings.TrimSpace(value) != value {
		f.add(field, "must not begin or end with a space")
	}
}

func (f *faults) price(field string, price money.Amount) {
	if price.Minor <= 0 || price.Minor > priceAtMost {
		f.add(field+".amount_minor", "must be above 0, and at most a trillion")
	}
	if _, known := money.Exponent(price.Currency); !known {
		f.add(field+".currency", "is no currency of ISO 4217")
	}
}

// tags are what they say, each once.
func (f *faults) tags(field string, given []string) []string {
	tidy, seen := []string{}, map[string]bool{}
	for i, tag := range given {
		if tag = f.tag(fmt.Sprintf("%s[%d]", field, i), tag); !seen[tag] {
			tidy = append(tidy, tag)
		}
		seen[tag] = true
	}
	if len(tidy) > tagsAtMost {
		f.add(field, "are more than 50")
	}
	return tidy
}

func (f *faults) tag(field, tag string) string {
	tag = strings.TrimSpace(tag)
	f.text(field, tag)
	if len([]rune(tag)) > tagAtMost {
		f.add(field, "is longer than 50 characters")
	}
	return tag
}

// variant must have a price in the currency of its product, if any.
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
