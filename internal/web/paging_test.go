package web_test

import (
	"context"
	"encoding/csv"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
)

type row struct {
	Name string     `json:"name"`
	Tags []string   `json:"tags,omitempty"`
	At   *time.Time `json:"at,omitempty"`
	Kept int        `json:"-"`
}

type rowsRequest struct {
	web.Paging
	Sort string `query:"sort" enum:"name,-name"`
	Of   int    `query:"of"`
	Name string `query:"name"`
}

// rows is a function that lists as many rows as it is asked for.
func rows(t *testing.T) string {
	t.Helper()
	door := web.Endpoints("serve-rows", settings(t), web.List("/rows", access.All, func(_ context.Context, _ web.Reader, in *rowsRequest) (items []row, total int64, err error) {
		for i := in.Offset(); i < min(in.Offset()+in.Limit, int64(in.Of)); i++ {
			items = append(items, row{Name: in.Name, Tags: []string{"a", "b"}})
		}
		return items, int64(in.Of), nil
	}))
	rt := &function.Runtime{Pool: dbtest.DB(t), Log: slog.New(slog.DiscardHandler)}
	server := httptest.NewServer(rt.ServeMux(&function.Function{Name: "serve-rows", Endpoints: door}))
	t.Cleanup(server.Close)
	return server.URL + "/rows"
}

// API-06.
func TestAListIsShownInPages(t *testing.T) {
	t.Parallel()
	url := rows(t)
	require.JSONEq(t, `{"items":[],"page":1,"limit":20,"total":0,"total_pages":0}`, call(t, "GET", url, "").body)
	r := call(t, "GET", url+"?of=45&page=3", "")
	require.Contains(t, r.body, `"page":3,"limit":20,"total":45,"total_pages":3`)
	require.Equal(t, 5, strings.Count(r.body, `"name"`))
	require.JSONEq(t, `{"items":[],"page":9,"limit":20,"total":45,"total_pages":3}`, call(t, "GET", url+"?of=45&page=9", "").body)
	require.Equal(t, 100, strings.Count(call(t, "GET", url+"?of=450&limit=1000", "").body, `"name"`))
}

func TestAPageThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	url := rows(t)
	for _, query := range []string{"page=0", "page=-1", "page=x", "limit=0", "limit=1001", "page=501", "sort=price", "pages=1", "page=99999999999999999999"} {
		require.Equal(t, http.StatusBadRequest, call(t, "GET", url+"?"+query, "").status, query)
	}
}

// API-06.
func TestAListIsCSVAtItsOwnPath(t *testing.T) {
	t.Parallel()
	url := rows(t)
	r := call(t, "GET", url+".csv?of=1&name=a,%22b", "", "Accept", "application/json")
	require.Equal(t, "text/csv", r.header.Get("Content-Type"))
	table, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, [][]string{{"name", "tags", "at"}, {`a,"b`, `["a","b"]`, ""}}, table)
	require.Equal(t, "name,tags,at\n", call(t, "GET", url+".csv", "").body, "an empty list has a head")
	require.Equal(t, "application/json", call(t, "GET", url, "", "Accept", "text/csv").header.Get("Content-Type"))
	problem := call(t, "GET", url+".csv?page=0", "", "Accept", "text/csv")
	require.Equal(t, "/problems/invalid", readProblem(t, problem).Type)
}

func TestCSVIsNoFormula(t *testing.T) {
	t.Parallel()
	url := rows(t)
	for name, want := range map[string]string{
		"%3DHYPERLINK(1)": "'=HYPERLINK(1)", "@SUM(1)": "'@SUM(1)", "-1%2Bcmd": "'-1+cmd", "%2B49 40 123": "+49 40 123", "-5": "-5", "Ada": "Ada",
	} {
		r := call(t, "GET", url+".csv?of=1&name="+strings.ReplaceAll(name, " ", "%20"), "")
		table, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
		require.NoError(t, err)
		require.Equal(t, want, table[1][0])
	}
}

func TestOnlyListsAreCSV(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	r := call(t, "GET", b.url+"/v1/things/1.csv", "")
	require.Equal(t, http.StatusBadRequest, r.status, "that is no id")
	r = call(t, "POST", b.url+"/v1/things", `{"name":"a","count":1}`, "Accept", "text/csv", "Idempotency-Key", "k")
	require.Equal(t, http.StatusCreated, r.status, r.body)
	require.Equal(t, "application/json", r.header.Get("Content-Type"))
}
