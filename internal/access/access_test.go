package access_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/token"
)

func TestAllows(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		access     access.Access
		caller     token.Claims
		orderToken bool
		want       bool
	}{
		"visitor on a public route":        {access.All, token.Claims{}, false, true},
		"visitor on a customer's route":    {access.Customer, token.Claims{}, false, false},
		"guest on a customer's route":      {access.Customer, token.Claims{Role: token.Guest}, false, true},
		"guest on an account's route":      {access.Account, token.Claims{Role: token.Guest}, false, false},
		"customer on a staff route":        {access.Staff, token.Claims{Role: token.Customer}, false, false},
		"admin on a staff route":           {access.Staff, token.Claims{Role: token.Admin}, false, true},
		"staff on an admin's route":        {access.Admin, token.Claims{Role: token.Staff}, false, false},
		"visitor with an order token":      {access.OrderToken, token.Claims{}, true, true},
		"visitor without an order token":   {access.OrderToken, token.Claims{}, false, false},
		"client with the scope":            {access.Client("stock"), token.Claims{Role: token.Client, Scopes: []string{"stock"}}, false, true},
		"client with another scope":        {access.Client("stock"), token.Claims{Role: token.Client, Scopes: []string{"orders"}}, false, false},
		"customer with a scope":            {access.Client("stock"), token.Claims{Role: token.Customer, Scopes: []string{"stock"}}, false, false},
		"staff where staff or clients may": {access.Any(access.Staff, access.Client("stock")), token.Claims{Role: token.Staff}, false, true},
		"no rules":                         {access.Access{}, token.Claims{Role: token.Admin}, true, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, test.access.Allows(test.caller, test.orderToken))
		})
	}
}

func TestTextFormRoundTrips(t *testing.T) {
	t.Parallel()
	for _, a := range []access.Access{access.All, access.OrderToken, access.Any(access.Staff, access.Client("stock"))} {
		text, err := json.Marshal(a)
		require.NoError(t, err)
		var read access.Access
		require.NoError(t, json.Unmarshal(text, &read))
		require.Equal(t, a, read)
	}
}

func TestUnknownRulesAreErrors(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "everyone", "staff,admin", "client:", "client:everything"} {
		_, err := access.Parse(text)
		require.Error(t, err, text)
	}
	require.Panics(t, func() { access.Client("everything") })
}
