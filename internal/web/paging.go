package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
)

// Media types of lists.
const (
	typeJSON = "application/json"
	typeCSV  = "text/csv"
)

// MaxLimit is how many items a page has at most.
const MaxLimit = 100

// Paging is embedded by the input of every list.
type Paging struct {
	Page  int64 `query:"page" minimum:"1" maximum:"500" default:"1" doc:"At most 500: narrow a longer list with its filters."`
	Limit int64 `query:"limit" minimum:"1" maximum:"1000" default:"20" doc:"Items per page; a page has at most 100."`

	atLeast bool
	next    string
}

// AtLeast notes that the list has more items than were counted.
func (p *Paging) AtLeast() { p.atLeast = true }

// SetNext notes where the next page begins.
func (p *Paging) SetNext(cursor string) { p.next = cursor }

func (p *Paging) paging() *Paging { return p }

// Offset returns the number of items on earlier pages.
func (p *Paging) Offset() int64 { return (p.Page - 1) * p.Limit }

// Page is a page of a list.
type Page[T any] struct {
	Items      []T    `json:"items" nullable:"false"`
	Page       int64  `json:"page"`
	Limit      int64  `json:"limit"`
	Total      int64  `json:"total"`
	TotalPages int64  `json:"total_pages"`
	AtLeast    bool   `json:"total_at_least,omitempty" doc:"True where the list has more items than total."`
	Next       string `json:"next,omitempty" doc:"The parameter after of the next page, in lists that have it."`
}

// PageOf returns a page of a list with a total number of items.
func PageOf[T any](items []T, p *Paging, total int64, atLeast bool) Page[T] {
	if items == nil {
		items = []T{}
	}
	return Page[T]{items, p.Page, p.Limit, total, (total + p.Limit - 1) / p.Limit, atLeast, p.next}
}

// Listed is the response of a list.
type Listed[T any] struct{ Body *Page[T] }

// List returns a GET route for a list. read returns the items of the page and the total number of items. The same page is served as CSV
// at the path with ".csv" after it.
func List[I any, P interface {
	*I
	paging() *Paging
}, T any](path string, a access.Access, read func(ctx context.Context, db Reader, in *I) (items []T, total int64, err error)) Route {
	route := function.Route{Method: http.MethodGet, Path: path, Access: a}
	list := func(ctx context.Context, s *server, in *I) (*Listed[T], error) {
		p := P(in).paging()
		p.Limit = min(p.Limit, MaxLimit)
		items, total, err := read(ctx, s.reader(ctx), in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		page := PageOf(items, p, total, p.atLeast)
		return &Listed[T]{&page}, nil
	}
	register := func(mediaType string) func(api huma.API, s *server) {
		return func(api huma.API, s *server) {
			o := s.operation(s.route.Route, http.StatusOK)
			o.Metadata[listOf] = mediaType
			huma.Register(api, o, func(ctx context.Context, in *I) (*Listed[T], error) { return list(ctx, s, in) })
		}
	}
	r := newRoute(route, register(typeJSON))
	r.table = register(typeCSV)
	return r
}

const (
	listOf = "list" // in the metadata of an operation: the media type of its pages
	inCSV  = ".csv" // the end of the path of a list as CSV
)

// withTables returns routes, with that of the table after each list.
func withTables(routes []Route) (all []Route) {
	for _, r := range routes {
		all = append(all, r)
		if r.table == nil {
			continue
		}
		table := r
		table.Path += inCSV
		table.register, table.table = r.table, nil
		all = append(all, table)
	}
	return all
}

// IsList reports whether an operation responds with a page of a list, as JSON.
func IsList(o *huma.Operation) bool { return o.Metadata[listOf] == typeJSON }

// IsTable reports whether an operation responds with a page of a list, as CSV.
func IsTable(o *huma.Operation) bool { return o.Metadata[listOf] == typeCSV }

// ContentType returns the media type of the response for the one that was negotiated.
func (p *Page[T]) ContentType(negotiated string) string {
	if negotiated == typeCSV {
		return typeCSV
	}
	return typeJSON
}

// QueryPage reads a page of a list and counts the whole list. columns begins the statement, from is its middle, and page orders and
// limits it.
func QueryPage[T any](
	ctx context.Context, db Reader, scan pgx.RowToFunc[T], from, columns, page string, args pgx.NamedArgs,
) (items []T, total int64, err error) {
	if err := db.QueryRow(ctx, `SELECT count(*) `+from, args).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count list: %w", err)
	}
	rows, err := db.Query(ctx, columns+" "+from+" "+page, args)
	if err == nil {
		items, err = pgx.CollectRows(rows, scan)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read page of list: %w", err)
	}
	return items, total, nil
}
