package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/provision"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// settings returns settings with the public key of the tests.
func settings(t testing.TB) config.Access {
	t.Helper()
	return config.Access{Public: config.Public{PublicURL: "http://shop.test"}, TokenPublicKeys: []string{shoptest.PublicKey()}}
}

// bearer returns the Authorization header of a caller with a role whom no database knows.
func bearer(t testing.TB, role string) string {
	t.Helper()
	return shoptest.Bearer(t, token.Claims{ID: uuid.NewString(), Role: role, Session: uuid.NewString()})
}

// known returns the Authorization header of a new account.
func (b *bundle) known(t testing.TB, role string) string {
	t.Helper()
	c := token.Claims{ID: uuid.NewString(), Role: role, Session: uuid.NewString(), Email: uuid.NewString() + "@example.test"}
	require.NoError(t, shoptest.AddAccount(t.Context(), b.pool, c))
	return shoptest.Bearer(t, c)
}

// thing is what the function of these tests makes.
type thing struct {
	Name  string `json:"name" minLength:"1" maxLength:"20"`
	Count int64  `json:"count" minimum:"1" maximum:"99"`
	Parts []part `json:"parts,omitempty" maxItems:"3"`
}

type part struct {
	Size int64 `json:"size"`
}

type makeRequest struct {
	web.Key
	Body thing
}

type readRequest struct {
	ID    int64  `path:"id" minimum:"1"`
	Shade string `query:"shade" maxLength:"10"`
}

type answer struct {
	Body struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
		Asks int64  `json:"asks"`
	}
}

// bundle is a running function with one table and routes of each kind.
type bundle struct {
	pool  *pgxpool.Pool
	url   string
	said  recorder
	asks  atomic.Int64
	hold  chan struct{} // closed: no request waits
	begun chan struct{} // gets one for each thing that is being made
}

// recorder is a broker that counts.
type recorder struct {
	mu  sync.Mutex
	ids []string
}

func (r *recorder) Publish(_ context.Context, messages []cloudevent.Message) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range messages {
		r.ids = append(r.ids, m.ID)
	}
	return make([]error, len(messages))
}

func setup(t *testing.T, lockTimeout time.Duration) *bundle {
	t.Helper()
	settings := dbtest.DB(t).Config()
	settings.ConnConfig.RuntimeParams["lock_timeout"] = strconv.FormatInt(lockTimeout.Milliseconds(), 10)
	pool, err := pgxpool.NewWithConfig(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	_, err = pool.Exec(t.Context(), `CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY, name text CONSTRAINT things_are_no_unicorns CHECK (name <> 'unicorn'))`)
	require.NoError(t, err)
	grantRole(t, pool, "serve-things")
	_, err = pool.Exec(t.Context(), `GRANT SELECT, INSERT ON things TO "serve-things"`)
	require.NoError(t, err)
	return serve(t, pool)
}

// granting is held while roles are created: they belong to the whole server, which the tests share.
var granting sync.Mutex

func grantRole(t testing.TB, pool *pgxpool.Pool, name string) {
	t.Helper()
	granting.Lock()
	defer granting.Unlock()
	require.NoError(t, provision.GrantRoles(t.Context(), pool, []function.Function{{Name: name, Endpoints: web.Endpoints(name, config.Access{})}}, ""))
}

func serve(t *testing.T, pool *pgxpool.Pool) *bundle {
	t.Helper()
	b := &bundle{pool: pool, hold: make(chan struct{}), begun: make(chan struct{}, 100)}
	close(b.hold)
	change := web.IdempotentCall[*makeRequest, int64, answer]{Status: http.StatusCreated, Do: b.make, Show: b.show}
	door := web.Endpoints("serve-things", settings(t),
		web.Get("/v1/things/{id}", access.All, func(ctx context.Context, db web.Reader, in *readRequest) (*answer, error) {
			return b.read(ctx, db, in.ID, in.Shade)
		}),
		web.PostIdempotent("/v1/things", access.All, change),
		web.PostIdempotent("/v1/staff/things", access.Staff, change),
	)
	rt := &function.Runtime{Pool: pool, Sink: &b.said, Log: slog.New(slog.DiscardHandler)}
	server := httptest.NewServer(rt.ServeMux(&function.Function{Name: "serve-things", Endpoints: door}))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *bundle) make(ctx context.Context, tx pgx.Tx, in *makeRequest) (id int64, said []events.Event, err error) {
	if in.Body.Name == "taken" {
		return 0, nil, problem.New(http.StatusConflict, "in-use", "there is one").With("name", in.Body.Name)
	}
	err = tx.QueryRow(ctx, `INSERT INTO things (name) VALUES ($1) RETURNING id`, in.Body.Name).Scan(&id)
	if err != nil {
		return 0, nil, err
	}
	b.begun <- struct{}{}
	<-b.hold
	return id, []events.Event{events.StockChanged{SKU: in.Body.Name}}, nil
}

func (b *bundle) show(ctx context.Context, db web.Reader, _ *makeRequest, id int64) (*answer, error) {
	return b.read(ctx, db, id, "")
}

func (b *bundle) read(ctx context.Context, db web.Reader, id int64, shade string) (*answer, error) {
	a := &answer{}
	a.Body.ID, a.Body.Asks = id, b.asks.Add(1)
	err := db.QueryRow(ctx, `SELECT name FROM things WHERE id = $1 AND $2 IN ('', 'blue')`, id, shade).Scan(&a.Body.Name)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("thing")
	}
	return a, err
}

func (b *bundle) things(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT count(*) FROM things`).Scan(&n))
	return n
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	body   string
}

func call(t testing.TB, method, url, body string, headers ...string) (r reply) {
	t.Helper()
	r, err := try(t.Context(), method, url, body, headers...)
	require.NoError(t, err)
	return r
}

func try(ctx context.Context, method, url, body string, headers ...string) (r reply, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return r, err
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return r, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(text)}, err
}

// problemBody is a response that must be problem details in every part.
type problemBody struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
	Name      string `json:"name"`
	Errors    []struct {
		Field   string `json:"field"`
		Message string `json:"message"`
	} `json:"errors"`
}

func readProblem(t testing.TB, r reply) (p problemBody) {
	t.Helper()
	require.Equal(t, "application/problem+json", r.header.Get("Content-Type"), r.body)
	decoder := json.NewDecoder(bytes.NewBufferString(r.body))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&p), r.body)
	require.Equal(t, r.status, p.Status)
	require.Regexp(t, `^/problems/[a-z-]+$`, p.Type)
	require.Equal(t, strings.ReplaceAll(strings.TrimPrefix(p.Type, "/problems/"), "-", " "), p.Title)
	require.NotEmpty(t, p.Detail)
	return p
}

func TestAnErrorIsProblemDetailsWithTheCallersRequestID(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	r := call(t, "POST", b.url+"/v1/things", `{"name":"taken","count":1}`, "Idempotency-Key", "k", "X-Request-ID", "req-1")
	require.Equal(t, http.StatusConflict, r.status)
	p := readProblem(t, r)
	require.Equal(t, problemBody{Type: "/problems/in-use", Title: "in use", Status: 409, Detail: "there is one", RequestID: "req-1", Name: "taken"}, p)
}

// API-02, API-03.
func TestAMistakeInARequestIsNamedByItsField(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	for name, c := range map[string]struct{ body, field string }{
		"a missing field":              {`{"count":1}`, "name"},
		"a field twice":                {`{"name":"a","count":1,"name":"b"}`, "name"},
		"a field twice further in":     {`{"name":"a","count":1,"parts":[{"size":1,"size":2}]}`, "size"},
		"a field in another case":      {`{"Name":"a","count":1}`, "Name"},
		"a field in two cases":         {`{"name":"a","NAME":"b","count":1}`, "NAME"},
		"an unknown field":             {`{"name":"a","count":1,"colour":"red"}`, "colour"},
		"text for a number":            {`{"name":"a","count":"one"}`, "count"},
		"a number for text":            {`{"name":1,"count":1}`, "name"},
		"a fraction":                   {`{"name":"a","count":1.5}`, "count"},
		"a number too small":           {`{"name":"a","count":0}`, "count"},
		"a number too large":           {`{"name":"a","count":100}`, "count"},
		"an empty text":                {`{"name":"","count":1}`, "name"},
		"a text too long":              {`{"name":"` + strings.Repeat("a", 21) + `","count":1}`, "name"},
		"null":                         {`{"name":null,"count":1}`, "name"},
		"a missing field further in":   {`{"name":"a","count":1,"parts":[{"size":1},{}]}`, "parts[1].size"},
		"an unknown field further in":  {`{"name":"a","count":1,"parts":[{"size":1,"depth":2}]}`, "parts[0].depth"},
		"a wrong type further in":      {`{"name":"a","count":1,"parts":[{"size":true}]}`, "parts[0].size"},
		"too many":                     {`{"name":"a","count":1,"parts":[{"size":1},{"size":1},{"size":1},{"size":1}]}`, "parts"},
		"a list for an object further": {`{"name":"a","count":1,"parts":[[]]}`, "parts[0]"},
		"a line break":                 {`{"name":"a\nb","count":1}`, "name"},
		"a character not visible":      {`{"name":"a\u200bb","count":1}`, "name"},
		"a turn of direction":          {`{"name":"a\u202eb","count":1}`, "name"},
		"a half of a character":        {`{"name":"a\ud800b","count":1}`, "name"},
		"bytes that are not UTF-8":     {"{\"name\":\"Caf\xe9\",\"count\":1}", "name"},
		"blanks alone":                 {`{"name":" \u3000 ","count":1}`, "name"},
		"a number beyond all":          {`{"name":"a","count":1,"parts":[{"size":99999999999999999999}]}`, "parts.size"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := call(t, "POST", b.url+"/v1/things", c.body, "Idempotency-Key", name)
			require.Equal(t, http.StatusBadRequest, r.status, r.body)
			var fields []string
			for _, fault := range readProblem(t, r).Errors {
				require.NotEmpty(t, fault.Message)
				fields = append(fields, fault.Field)
			}
			require.Contains(t, fields, c.field, r.body)
		})
	}
	t.Cleanup(func() { require.Zero(t, len(b.begun), "nothing is made") })
}

// ACC-39: what people type is normalised before it is validated and stored.
func TestTypedTextIsNormalised(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	for name, body := range map[string]string{
		"blanks around it":    `{"name":" Zürich\u3000","count":1}`,
		"decomposed":          `{"name":"Zu\u0308rich","count":1}`,
		"an integer as 1.0":   `{"name":"Zürich","count":1.0}`,
		"an integer as 10e-1": `{"name":"Zürich","count":10e-1}`,
		"too long by blanks":  `{"name":"Zürich` + strings.Repeat(" ", 20) + `","count":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := call(t, "POST", b.url+"/v1/things", body, "Idempotency-Key", name)
			require.Equal(t, http.StatusCreated, r.status, r.body)
			require.Contains(t, r.body, `"Zürich"`)
		})
	}
}

func TestMessagesAreNotThoseOfGo(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	for _, body := range []string{
		``, `{`, `{"name":`, `name=a`, `{"name":"a",}`, `{"name":"a","count":1e400}`, `{"name":"a","count":1}}`, `[1`, `{"name":"a","count":1,"parts":[{"size":1e30}]}`,
		`{"name":"a","count":99999999999999999999}`, `nul`, "\xff", `{"name":"a","count":01}`, `"`, `{"name":"\x"}`,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			r := call(t, "POST", b.url+"/v1/things", body, "Idempotency-Key", body)
			require.Equal(t, http.StatusBadRequest, r.status, r.body)
			for _, word := range []string{"Go ", "json:", "struct", "looking for", "unmarshal", "EOF", "strconv", "literal"} {
				require.NotContains(t, r.body, word)
			}
		})
	}
}

// API-04.
func TestNoMistakeOfACallerIsOurFault(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	post := func(body string, headers ...string) func(*testing.T) reply {
		return func(t *testing.T) reply { return call(t, "POST", b.url+"/v1/things", body, headers...) }
	}
	get := func(path string) func(*testing.T) reply {
		return func(t *testing.T) reply { return call(t, "GET", b.url+path, "") }
	}
	for name, c := range map[string]struct {
		status int
		call   func(*testing.T) reply
	}{
		"no key":                         {400, post(`{"name":"a","count":1}`)},
		"an empty key":                   {400, post(`{"name":"a","count":1}`, "Idempotency-Key", "")},
		"a key too long":                 {400, post(`{"name":"a","count":1}`, "Idempotency-Key", strings.Repeat("k", 256))},
		"a key that is no text":          {400, post(`{"name":"a","count":1}`, "Idempotency-Key", "\xff\xfe")},
		"no body":                        {400, post(``, "Idempotency-Key", "1")},
		"no JSON":                        {400, post(`name=a`, "Idempotency-Key", "2")},
		"half of it":                     {400, post(`{"name":"a"`, "Idempotency-Key", "3")},
		"a list":                         {400, post(`[]`, "Idempotency-Key", "4")},
		"a number that nobody can hold":  {400, post(`{"name":"a","count":1e400}`, "Idempotency-Key", "5")},
		"another type":                   {415, post(`<a/>`, "Idempotency-Key", "6", "Content-Type", "application/xml")},
		"text that no database takes":    {400, post(`{"name":"a\u0000b","count":1}`, "Idempotency-Key", "7")},
		"as deep as nobody needs":        {400, post(`{"name":"a","count":1,"parts":`+strings.Repeat("[", 17)+strings.Repeat("]", 17)+`}`, "Idempotency-Key", "9")},
		"deeper than a stack":            {400, post(strings.Repeat("[", 60000), "Idempotency-Key", "10")},
		"half a character":               {400, post(`{"name":"a\ud800b","count":1}`, "Idempotency-Key", "8")},
		"an unknown query":               {400, get("/v1/things/1?colour=red")},
		"a query that no database takes": {400, get("/v1/things/1?shade=%00")},
		"an id that is none":             {400, get("/v1/things/one")},
		"an id out of range":             {400, get("/v1/things/0")},
		"an id larger than all":          {400, get("/v1/things/99999999999999999999")},
		"an id of nothing":               {404, get("/v1/things/4711")},
		"a path of nothing":              {404, get("/v1/nothing")},
		"the root":                       {404, get("/")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.call(t)
			require.Equal(t, c.status, r.status, r.body)
			if r.status >= 400 {
				readProblem(t, r)
			}
		})
	}
}

func TestAMethodThatAPathLacksIsRefusedAsAProblem(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	for _, method := range []string{"PUT", "DELETE", "PATCH"} {
		r := call(t, method, b.url+"/v1/things", `{}`)
		require.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, r.status)
		readProblem(t, r)
	}
}

// API-02.
func TestABodyOverTheLimitIsRefusedUnread(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	r := call(t, "POST", b.url+"/v1/things", `{"name":"`+strings.Repeat("a", 64<<10)+`","count":1}`, "Idempotency-Key", "k")
	require.Equal(t, http.StatusRequestEntityTooLarge, r.status, r.body)
	require.Equal(t, "/problems/too-large", readProblem(t, r).Type)
}

func TestAnUnexpectedConstraintViolationIsAnInternalError(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	r := call(t, "POST", b.url+"/v1/things", `{"name":"unicorn","count":1}`, "Idempotency-Key", "k")
	require.Equal(t, http.StatusInternalServerError, r.status)
	require.Equal(t, "/problems/internal", readProblem(t, r).Type)
	require.NotContains(t, r.body, "unicorn")
}

// API-05.
func TestOneKeyHasOneEffectAndAReplayShowsTheCurrentState(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	body := `{"name":"a","count":1}`
	first := call(t, "POST", b.url+"/v1/things", body, "Idempotency-Key", "k")
	again := call(t, "POST", b.url+"/v1/things", body, "Idempotency-Key", "k")
	require.Equal(t, http.StatusCreated, first.status, first.body)
	require.Equal(t, http.StatusCreated, again.status, again.body)
	require.Empty(t, first.header.Get("Idempotency-Replayed"))
	require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
	require.JSONEq(t, `{"id":1,"name":"a","asks":1}`, first.body)
	require.JSONEq(t, `{"id":1,"name":"a","asks":2}`, again.body, "shown anew")
	require.Equal(t, 1, b.things(t))
	require.Len(t, b.said.ids, 1, "said once")
}

// API-05.
func TestAKeyOfAnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	call(t, "POST", b.url+"/v1/things", `{"name":"a","count":1}`, "Idempotency-Key", "k")
	r := call(t, "POST", b.url+"/v1/things", `{"name":"a","count":2}`, "Idempotency-Key", "k")
	require.Equal(t, http.StatusUnprocessableEntity, r.status)
	require.Equal(t, "/problems/key-reused", readProblem(t, r).Type)
	require.Equal(t, 1, b.things(t))
}

func TestAKeyBelongsToItsCallerAndItsPath(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	body := `{"name":"a","count":1}`
	require.Equal(t, http.StatusCreated, call(t, "POST", b.url+"/v1/things", body, "Idempotency-Key", "k").status)
	staff := b.known(t, token.Staff)
	for _, path := range []string{"/v1/things", "/v1/staff/things"} {
		r := call(t, "POST", b.url+path, body, "Idempotency-Key", "k", "Authorization", staff)
		require.Equal(t, http.StatusCreated, r.status, r.body)
		require.Empty(t, r.header.Get("Idempotency-Replayed"))
	}
	require.Equal(t, 3, b.things(t))
}

// API-05.
func TestARefusedCallLeavesItsKeyFree(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	for _, c := range []struct {
		body   string
		status int
	}{{`{"name":"taken","count":1}`, 409}, {`{"name":"unicorn","count":1}`, 500}, {`{"name":"a"}`, 400}, {`{"name":"a","count":1}`, 201}} {
		r := call(t, "POST", b.url+"/v1/things", c.body, "Idempotency-Key", "k")
		require.Equal(t, c.status, r.status, r.body)
		require.Empty(t, r.header.Get("Idempotency-Replayed"))
	}
	require.Equal(t, 1, b.things(t))
}

func TestTwentyAtOnceWithOneKeyHaveOneEffect(t *testing.T) {
	t.Parallel()
	b := setup(t, 10*time.Second)
	replies := make(chan reply, 20)
	for range 20 {
		go func() {
			r, err := try(t.Context(), "POST", b.url+"/v1/things", `{"name":"a","count":1}`, "Idempotency-Key", "k")
			if err != nil {
				r.body = err.Error()
			}
			replies <- r
		}()
	}
	replayed := 0
	for range 20 {
		r := <-replies
		require.Equal(t, http.StatusCreated, r.status, r.body)
		if r.header.Get("Idempotency-Replayed") == "true" {
			replayed++
		}
	}
	require.Equal(t, 19, replayed)
	require.Equal(t, 1, b.things(t))
	require.Len(t, b.said.ids, 1)
}

// API-05.
func TestARequestWithAKeyInUseGets409(t *testing.T) {
	t.Parallel()
	b := setup(t, 50*time.Millisecond)
	b.hold = make(chan struct{})
	first := make(chan reply, 1)
	go func() {
		r, _ := try(t.Context(), "POST", b.url+"/v1/things", `{"name":"a","count":1}`, "Idempotency-Key", "k")
		first <- r
	}()
	<-b.begun
	twin := call(t, "POST", b.url+"/v1/things", `{"name":"a","count":1}`, "Idempotency-Key", "k")
	require.Equal(t, http.StatusConflict, twin.status, twin.body)
	require.Equal(t, "/problems/twin-in-flight", readProblem(t, twin).Type)
	require.Equal(t, "1", twin.header.Get("Retry-After"))
	close(b.hold)
	require.Equal(t, http.StatusCreated, (<-first).status)
	again := call(t, "POST", b.url+"/v1/things", `{"name":"a","count":1}`, "Idempotency-Key", "k")
	require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
	require.Equal(t, 1, b.things(t))
}

func TestStaffsRoutesAreForStaff(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	staff := b.known(t, token.Staff)
	for name, c := range map[string]struct {
		authorization string
		status        int
	}{
		"nobody":                  {"", 401},
		"a wrong token":           {"Bearer wrong", 401},
		"no token":                {"Bearer ", 401},
		"half the token":          {staff[:len(staff)/2], 401},
		"another way of showing":  {"Basic " + staff[len("Bearer "):], 401},
		"the token without a way": {staff[len("Bearer "):], 401},
		"the token":               {staff, 201},
		"another case":            {"bearer " + staff[len("Bearer "):], 201},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			headers := []string{"Idempotency-Key", name, "X-Request-ID", "req-2"}
			if c.authorization != "" {
				headers = append(headers, "Authorization", c.authorization)
			}
			r := call(t, "POST", b.url+"/v1/staff/things", `{"name":"a","count":1}`, headers...)
			require.Equal(t, c.status, r.status, r.body)
			if c.status == http.StatusUnauthorized {
				p := readProblem(t, r)
				require.Equal(t, "/problems/not-signed-in", p.Type)
				require.Equal(t, "req-2", p.RequestID)
				require.NotContains(t, r.body, staff)
			}
		})
	}
}

func TestAWrongTokenIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Second)
	r := call(t, "GET", b.url+"/v1/things/1", "", "Authorization", "Bearer wrong")
	require.Equal(t, http.StatusUnauthorized, r.status)
}

func TestWithoutTokenKeysNoTokenIsValid(t *testing.T) {
	t.Parallel()
	door := web.Endpoints("serve-things", config.Access{}, web.Get("/v1/secret", access.Staff,
		func(context.Context, web.Reader, *struct{}) (*answer, error) { return &answer{}, nil }))
	rt := &function.Runtime{Log: slog.New(slog.DiscardHandler)}
	server := httptest.NewServer(rt.ServeMux(&function.Function{Endpoints: door}))
	t.Cleanup(server.Close)
	for _, authorization := range []string{"Bearer ", "Bearer", "Bearer x", bearer(t, token.Staff)} {
		require.Equal(t, http.StatusUnauthorized, call(t, "GET", server.URL+"/v1/secret", "", "Authorization", authorization).status)
	}
}

func TestWithoutADatabaseRequestsGet503(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres:///popup?host="+t.TempDir())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	b := serve(t, pool)
	for name, r := range map[string]reply{
		"reading": call(t, "GET", b.url+"/v1/things/1", ""),
		"making":  call(t, "POST", b.url+"/v1/things", `{"name":"a","count":1}`, "Idempotency-Key", "k"),
	} {
		require.Equal(t, http.StatusServiceUnavailable, r.status, "%s: %s", name, r.body)
		require.Equal(t, "1", r.header.Get("Retry-After"), name)
		require.Equal(t, "/problems/dependency-down", readProblem(t, r).Type, name)
	}
}

func TestWhatPassesByItselfIsNoFaultOfAnybody(t *testing.T) {
	t.Parallel()
	b := setup(t, 20*time.Millisecond)
	locked, err := b.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = locked.Rollback(context.Background()) }()
	_, err = locked.Exec(t.Context(), `LOCK TABLE things`)
	require.NoError(t, err)
	for _, r := range []reply{
		call(t, "POST", b.url+"/v1/things", `{"name":"a","count":1}`, "Idempotency-Key", "k"),
		call(t, "GET", b.url+"/v1/things/1", ""),
	} {
		require.Equal(t, http.StatusServiceUnavailable, r.status, r.body)
		require.Equal(t, "1", r.header.Get("Retry-After"))
	}
}

func TestTheDeclaredRoutesAreTheOnesThatAreServed(t *testing.T) {
	t.Parallel()
	door := web.Endpoints("x", config.Access{}, web.Get("/v1/a/{id}", access.All, func(context.Context, web.Reader, *readRequest) (*answer, error) { return &answer{}, nil }))
	require.Equal(t, []function.Route{{Method: "GET", Path: "/v1/a/{id}", Access: access.All}}, door.Routes())
}

// API-02: what is not UTF-8 is not read as if it were.
func TestOtherEncodingsOfABodyAreRefused(t *testing.T) {
	t.Parallel()
	s := setup(t, time.Second)
	body := `{"name":"x","count":1}`
	for contentType, status := range map[string]int{
		"application/json": 201, "application/json; charset=utf-8": 201, `application/json;charset="UTF-8"`: 201, "application/json; charset=us-ascii": 201,
		"application/json; charset=utf-16": 415, "application/json; charset=ISO-8859-1": 415, "application/json; CHARSET=utf-16le": 415,
		"application/json; charset=": 415, "text/plain; charset=utf-16": 415,
	} {
		r := call(t, "POST", s.url+"/v1/things", body, "Content-Type", contentType, "Idempotency-Key", uuid.NewString())
		require.Equal(t, status, r.status, "%s: %s", contentType, r.body)
		if status == http.StatusUnsupportedMediaType {
			require.Equal(t, "/problems/unsupported", readProblem(t, r).Type, contentType)
		}
	}
	r := call(t, "POST", s.url+"/v1/things", body, "Content-Type", "application/json", "Content-Encoding", "gzip", "Idempotency-Key", uuid.NewString())
	require.Equal(t, http.StatusUnsupportedMediaType, r.status, r.body)
}
