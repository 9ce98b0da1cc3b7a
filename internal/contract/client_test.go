package contract_test

import (
	"context"
	"net/http"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/contract"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
)

// source is a repository with the comments of the types in this test.
func source(text string) fstest.MapFS {
	return fstest.MapFS{"internal/contract_test/types.go": {Data: []byte("package contract_test\n" + text)}}
}

const commented = `
// Thing is what there is.
type Thing struct{}

// Named names one.
type Named struct{}
`

type Named struct {
	Name string `json:"name" enum:"a,b" doc:"what it is called"`
}

type Thing struct {
	Named
	Twin *Thing `json:"twin,omitempty"`
}

type body[T any] struct{ Body T }

func doing[O any](context.Context, pgx.Tx, *struct{}) (*O, []events.Event, error) {
	return nil, nil, nil
}

func act(path string) web.Route {
	return web.Post(path, access.All, http.StatusOK, doing[body[Thing]])
}

func list(path string) web.Route {
	return web.List(path, access.All, func(context.Context, web.Reader, *struct{ web.Paging }) ([]Thing, int64,
		error,
	) {
		return nil, 0, nil
	})
}

func show(path string) web.Route {
	return web.Get(path, access.All, func(context.Context, web.Reader, *struct{}) (*body[Thing],
		error,
	) {
		return nil, nil
	})
}

func serving(name string, routes ...web.Route) function.Function {
	return function.Function{Name: name, Endpoints: web.Endpoints(name, config.Access{}, routes...)}
}

var declared = regexp.MustCompile(`func \(c \*Client\) (\w+)\(`)

func TestAMethodIsCalledWhatItDoes(t *testing.T) {
	t.Parallel()
	for name, route := range map[string]web.Route{
		"ListThings":     list("/v1/things"),
		"ListMyThings":   list("/v1/users/me/things"),
		"GetMe":          show("/v1/users/me"),
		"GetThing":       show("/v1/things/{id}"),
		"GetThingEvents": show("/v1/things/{id}/events"),
		"GetCategory":    show("/v1/categories/{id}"),
		"AddThing":       act("/v1/things"),
		"AddThingPart":   act("/v1/things/{id}/parts"),
		"AddMySSHKey":    act("/v1/users/me/ssh-keys"),
		"AddReservation": act("/v1/inventory/reservations"),
		"CancelThing":    act("/v1/things/{id}/cancel"),
		"PlaceOrder":     act("/v1/orders"),
		"ChangeAddress":  web.Put("/v1/addresses/{id}", access.All, doing[body[Thing]]),
		"DeleteThing":    web.Delete("/v1/things/{id}", access.All, doing[struct{}]),
	} {
		made, err := contract.Client(source(commented), []function.Function{serving("serve-things", route)})
		require.NoError(t, err, name)
		require.Equal(t, name, string(declared.FindSubmatch(made["routes.go"])[1]))
	}
}

func TestATypeOfTheClientHasTheCommentOfItsSource(t *testing.T) {
	t.Parallel()
	made, err := contract.Client(source(commented), []function.Function{serving("serve-things", act("/v1/things"))})
	require.NoError(t, err)
	require.Contains(t, string(made["types.go"]), "// Thing is what there is.\ntype Thing struct {\n"+
		"\tName string `json:\"name\"` // what it is called; one of a, b\n\tTwin *Thing `json:\"twin,omitempty\"`\n}")
	require.Contains(t, string(made["routes.go"]), "// AddThing sends POST /v1/things, for: all.\n"+
		"func (c *Client) AddThing(ctx context.Context, options ...Option) (Thing, error) {\n"+
		"\treturn send[Thing](ctx, c, options, call{method: \"POST\", path: \"/v1/things\"})")
	_, err = contract.Client(source(""), []function.Function{serving("serve-things", act("/v1/things"))})
	require.ErrorContains(t, err, "Thing in internal/contract_test has no comment")
}

func TestTwoRoutesCannotBeOneMethod(t *testing.T) {
	t.Parallel()
	_, err := contract.Client(source(commented),
		[]function.Function{serving("serve-things", act("/v1/reservations"), act("/v1/inventory/reservations"))})
	require.ErrorContains(t, err, "would both be called AddReservation: name one in methodNames")
}

// AddThingAnswer has the name that the answer of POST /v1/things would have, which has none.
type AddThingAnswer struct{}

type added struct{ Body struct{ Other string } }

func TestASecondTypeOfANameBearsItsFunctions(t *testing.T) {
	t.Parallel()
	from := source("// AddThingAnswer is another's.\ntype AddThingAnswer struct{}")
	from["functions/serve-things/types.go"] = &fstest.MapFile{Data: []byte("package servethings\n// Added is what was added.\ntype Added struct{}")}
	made, err := contract.Client(from, []function.Function{serving("serve-things",
		web.Post("/v1/others", access.All, http.StatusOK, doing[body[AddThingAnswer]]), web.Post("/v1/things", access.All,
			http.StatusOK, doing[added]))})
	require.NoError(t, err)
	require.Contains(t, string(made["types.go"]), "// AddThingAnswer is another's.\ntype AddThingAnswer struct {")
	require.Contains(t, string(made["types.go"]),
		"// ThingsAddThingAnswer is what was added.\ntype ThingsAddThingAnswer struct {\n\tOther")
}
