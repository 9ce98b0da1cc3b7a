package web

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/function"
)

const (
	inJSON = "application/json"
	inCSV  = "text/csv"

	// MaxLimit is how many items a page has at most.
	MaxLimit = 100
)

// Paging is embedded by the input of every list.
type Paging struct {
	Page  int64 `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Limit int64 `query:"limit" minimum:"1" maximum:"1000" default:"20" doc:"at most 100 are answered"`

	atLeast bool
}

// AtLeast says that a list has more items than were counted.
func (p *Paging) AtLeast() { p.atLeast = true }

func (p *Paging) paging() *Paging { return p }

// Offset is how many items are on the pages before this one.
func (p *Paging) Offset() int64 { return (p.Page - 1) * p.Limit }

// Page is a page of a list.
type Page[T any] struct {
	Items      []T   `json:"items" nullable:"false"`
	Page       int64 `json:"page"`
	Limit      int64 `json:"limit"`
	Total      int64 `json:"total"`
	TotalPages int64 `json:"total_pages"`
	AtLeast    bool  `json:"total_at_least,omitempty" doc:"there are more than total; nobody counted further"`
}

// PageOf is a page of items that a list has so many of.
func PageOf[T any](items []T, p *Paging, total int64, atLeast bool) Page[T] {
	if items == nil {
		items = []T{}
	}
	return Page[T]{items, p.Page, p.Limit, total, (total + p.Limit - 1) / p.Limit, atLeast}
}

// Listed is the answer of a list.
type Listed[T any] struct{ Body *Page[T] }

// List declares a route that shows a page of a list, as JSON or CSV. read returns the items of the page, and how many there
// are on all.
func List[I any, P interface {
	*I
	paging() *Paging
}, T any](path, who string, read func(ctx context.Context, db Reader, in *I) (items []T, total int64, err error)) Route {
	route := function.Route{Method: http.MethodGet, Path: path, Access: who}
	return Route{route, func(api huma.API, s *server) {
		o := s.operation(route, http.StatusOK)
		o.Metadata["list"] = true
		huma.Register(api, o, func(ctx context.Context, in *I) (*Listed[T], error) {
			p := P(in).paging()
			p.Limit = min(p.Limit, MaxLimit)
			items, total, err := read(ctx, s.reader(ctx), in)
			if err != nil {
				return nil, s.problem(ctx, err)
			}
			page := PageOf(items, p, total, p.atLeast)
			return &Listed[T]{&page}, nil
		})
	}}
}

func isList(o *huma.Operation) bool { return o.Metadata["list"] == true }

// MediaType returns the media type of a list for a request with these headers: CSV when it is preferred to JSON.
func MediaType(header http.Header) string {
	accept := strings.Join(header.Values("Accept"), ",")
	if negotiation.SelectQValue(accept, []string{inJSON, inCSV}) == inCSV {
		return inCSV
	}
	return inJSON
}

// ContentType lets a list be CSV for those who ask for it.
func (p *Page[T]) ContentType(asked string) string {
	if asked == inCSV {
		return inCSV
	}
	return "application/json"
}

// writeCSV writes the items, one a row; what is no plain value is written as JSON.
func (p *Page[T]) writeCSV(w *csv.Writer) error {
	var names []string
	var columns [][]int
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && !f.Anonymous && name != "" && name != "-" {
			names, columns = append(names, name), append(columns, f.Index)
		}
	}
	_ = w.Write(names) // Error tells
	for _, item := range p.Items {
		row := make([]string, len(columns))
		for i, at := range columns {
			row[i] = csvCell(reflect.ValueOf(item).FieldByIndex(at).Interface())
		}
		_ = w.Write(row)
	}
	w.Flush()
	return w.Error()
}

var formula = regexp.MustCompile(`^([=@\t\r]|[+-].*[^0-9 ().,/-])`)

// csvCell is a value as text. What a spreadsheet would take for a formula is marked as text.
func csvCell(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil || string(encoded) == "null" {
		return ""
	}
	text := string(encoded)
	_ = json.Unmarshal(encoded, &text) // what is no text stays as it is
	if formula.MatchString(text) {
		return "'" + text
	}
	return text
}

// QueryPage reads a page of a list and counts the whole of it. columns begins its statement, page orders and bounds it.
func QueryPage[T any](ctx context.Context, db Reader, scan pgx.RowToFunc[T], from, columns, page string, args pgx.NamedArgs) (items []T, total int64, err error) {
	err = db.QueryRow(ctx, `SELECT count(*) `+from, args).Scan(&total)
	if err != nil {
		return nil, 0, fmt.Errorf("count a list: %w", err)
	}
	rows, err := db.Query(ctx, columns+" "+from+" "+page, args)
	if err == nil {
		items, err = pgx.CollectRows(rows, scan)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read a page of a list: %w", err)
	}
	return items, total, nil
}
