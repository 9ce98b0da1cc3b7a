// Package serveaccounts says who somebody is: accounts, sessions, guests and machine clients. What they may do elsewhere it
// does not know.
package serveaccounts

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// Name is the function's: programs that hold its key give it to nobody else.
const Name = "serve-accounts"

// Settings are those that the function needs.
type Settings struct {
	config.Access
	config.Signing
}

// Check refuses settings that make no sense, by name.
func (s Settings) Check() error {
	keys, err := s.Signing.Keys()
	if err == nil && len(keys) == 0 {
		err = errors.New("TOKEN_KEYS: must be set, or nobody can sign in")
	}
	return cmp.Or(err, s.Access.Check())
}

// accounts is what the routes have in common.
type accounts struct {
	keys    token.Keys // that verify
	signing token.Signing
	cookies auth.Cookies
	hashing chan struct{} // slots of the calls that hash a password
}

// hashingMost is how many calls that hash a password may be in hand. They wait for each other; one more would wait for over a
// second, and is refused before it has touched anything.
const hashingMost = 64

// New declares the function.
func New(settings Settings) function.Function {
	a := newAccounts(&settings)
	return function.Function{
		Name:      Name,
		Endpoints: web.Endpoints(Name, settings.Access, slices.Concat(a.signingIn(), a.ownAccount(), a.guests(), a.clients(), administration())...),
		Emits:     []events.Event{events.AccountCreated{}, events.AccountChanged{}, events.SessionRevoked{}},
		Writes: []string{
			"accounts.users", "accounts.passwords", "accounts.sessions", "accounts.spent_tokens", "accounts.addresses",
			"accounts.guests", "accounts.clients", "accounts.ssh_keys", "accounts.throttles", "orders.addresses",
		},
	}
}

// newAccounts takes the keys into use. What a key makes it verifies too, whether or not the settings say so.
func newAccounts(settings *Settings) *accounts {
	a := &accounts{cookies: auth.Cookies{Secure: settings.Secure()}, hashing: make(chan struct{}, hashingMost)}
	keys, err := settings.Signing.Keys()
	if err != nil {
		panic(err) // whoever reads settings checks them
	}
	for i, key := range keys {
		if i == 0 {
			a.signing = token.NewSigning(key)
		}
		if _, public := config.KeySettings(key); !slices.Contains(settings.TokenPublicKeys, public) {
			settings.TokenPublicKeys = append(slices.Clone(settings.TokenPublicKeys), public)
		}
	}
	public, err := settings.Access.Keys()
	if err != nil {
		panic(err)
	}
	for _, key := range public {
		a.keys = append(a.keys, key)
	}
	return a
}

func (a *accounts) signingIn() []web.Route {
	return []web.Route{
		web.Staged(http.MethodPost, "/v1/users/register", access.All, web.StagedCall[RegisterRequest, hashed, RegisterAnswer]{
			Status: http.StatusCreated, Slots: a.hashing, Prepare: prepareRegister, Work: hashNew, Do: a.register,
		}),
		web.Staged(http.MethodPost, "/v1/users/login", access.Credentials, web.StagedCall[LoginRequest, login, TokensAnswer]{
			Status: http.StatusOK, Slots: a.hashing, Prepare: prepareLogin, Work: checkLogin, Do: a.login,
		}),
		web.Post("/v1/users/refresh", access.Credentials, http.StatusOK, a.refresh),
		web.Post("/v1/users/logout", access.Account, http.StatusNoContent, a.logout),
		web.Get("/v1/keys", access.All, a.readKeys),
	}
}

func (a *accounts) ownAccount() []web.Route {
	return []web.Route{
		web.Get("/v1/users/me", access.Account, readMe),
		web.Staged(http.MethodPut, "/v1/users/me", access.Account, web.StagedCall[ProfileRequest, proof, UserAnswer]{
			Status: http.StatusOK, Slots: a.hashing, Prepare: prepareProfile, Work: checkProof[ProfileRequest], Do: changeProfile,
		}),
		web.Delete("/v1/users/me", access.Account, a.closeAccount),
		web.Get("/v1/users/me/data", access.Account, readData),
		web.Staged(http.MethodPut, "/v1/users/me/password", access.Account, web.StagedCall[PasswordRequest, proof, struct{}]{
			Status: http.StatusNoContent, Slots: a.hashing, Prepare: preparePassword, Work: checkPassword, Do: changePassword,
		}),
		web.List("/v1/users/me/addresses", access.Account, listAddresses),
		web.Post("/v1/users/me/addresses", access.Account, http.StatusCreated, addAddress),
		web.Put("/v1/addresses/{id}", access.Account, changeAddress),
		web.Delete("/v1/addresses/{id}", access.Account, deleteAddress),
		web.List("/v1/users/me/ssh-keys", access.Account, listSSHKeys),
		web.Post("/v1/users/me/ssh-keys", access.Account, http.StatusCreated, addSSHKey),
		web.Delete("/v1/users/me/ssh-keys/{id}", access.Account, deleteSSHKey),
		web.List("/v1/users/me/sessions", access.Account, listSessions),
		web.Delete("/v1/users/me/sessions", access.Account, endSessions),
	}
}

func (a *accounts) guests() []web.Route {
	return []web.Route{
		web.Post("/v1/customers", access.All, http.StatusCreated, a.addGuest),
		web.Get("/v1/customers/{id}", access.Guest, readGuest),
		web.Post("/v1/customers/{id}/token", access.Credentials, http.StatusOK, a.guestToken),
	}
}

func (a *accounts) clients() []web.Route {
	return []web.Route{
		web.List("/v1/clients", access.Admin, listClients),
		web.Post("/v1/clients", access.Admin, http.StatusCreated, addClient),
		web.Delete("/v1/clients/{id}", access.Admin, deleteClient),
		web.Post("/v1/tokens", access.Credentials, http.StatusOK, a.clientToken),
	}
}

func administration() []web.Route {
	return []web.Route{
		web.List("/v1/users", access.Staff, listUsers),
		web.Get("/v1/users/{id}", access.Admin, readUser),
		web.Put("/v1/users/{id}", access.Admin, changeUser),
		web.List("/v1/audit", access.Admin, listAudit),
	}
}
