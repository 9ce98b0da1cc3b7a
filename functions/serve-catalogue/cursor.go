package servecatalogue

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
)

// cursor is the last product of a page, by the keys of an order: the next page begins after it, in the index of that
// order, however many products are before it.
type cursor struct {
	Sort     string    `json:"s"`
	ID       string    `json:"i"`
	Time     time.Time `json:"t,omitzero"`
	Name     string    `json:"n,omitempty"`
	Currency string    `json:"c,omitempty"`
	Price    int64     `json:"p,omitempty"`
}

func cursorOf(sort string, p catalogue.Product) cursor {
	c := cursor{Sort: sort, ID: p.ID}
	switch sort {
	case "newest":
		c.Time = p.CreatedAt
	case "name":
		c.Name = p.Name
	default:
		c.Currency, c.Price = p.Price.Currency, p.Price.Minor
	}
	return c
}

// String returns the cursor as it stands in a query.
func (c cursor) String() string {
	encoded, _ := json.Marshal(c) // a struct of texts and numbers
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// readCursor reads After, and returns what is wrong with it.
func (in *ListRequest) readCursor() []problem.FieldError {
	if in.After == "" {
		return nil
	}
	encoded, err := base64.RawURLEncoding.DecodeString(in.After)
	if err == nil {
		err = json.Unmarshal(encoded, &in.cursor)
	}
	switch {
	case err != nil || !id.Valid(in.cursor.ID):
		return []problem.FieldError{{Field: "after", Message: "is not the next of a page"}}
	case in.cursor.Sort != in.Sort:
		return []problem.FieldError{{Field: "after", Message: "is the next of a list in another order"}}
	case in.Page > 1:
		return []problem.FieldError{{Field: "page", Message: "must not be given together with after"}}
	}
	return nil
}

func (c cursor) add(args pgx.NamedArgs) {
	args["after_id"], args["after_time"], args["after_name"] = c.ID, c.Time, c.Name
	args["after_currency"], args["after_price"] = c.Currency, c.Price
}
