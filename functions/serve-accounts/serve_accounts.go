// Package serveaccounts serves accounts, sessions, guests and machine clients. It authenticates people and programs and
// signs the access tokens that the other functions verify; authorisation is the business of those functions.
//
// A login, for example, takes three steps. The first transaction reads the account and counts an attempt as failed, so
// that a crash leaves no free attempt. Then the password is verified, which takes a second of CPU, outside of any
// transaction. The second transaction takes the failed attempt back and inserts the session, if the password is still
// the verified one.
package serveaccounts

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// Name is the name of the function. A program with several functions gives the signing key only to the one with this
// name.
const Name = "serve-accounts"

// Settings configures the function.
type Settings struct {
	config.Access
	config.Signing
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error {
	keys, err := s.Signing.Keys()
	if err == nil && len(keys) == 0 {
		err = errors.New("TOKEN_KEYS: must be set to sign access tokens")
	}
	return cmp.Or(err, s.Access.Check())
}

// accounts has what the routes share.
type accounts struct {
	secrets [][]byte   // make refresh tokens from those before; the first is the current one
	keys    token.Keys // verify tokens
	signing token.Signing
	cookies auth.Cookies
	hashing chan struct{} // holds a slot for each request that hashes a password
}

// maxHashing is the maximum of requests that hash a password at the same time. They queue for the CPU; a further one
// would wait for more than a second and is rejected before its transaction begins.
const maxHashing = 64

// New returns the function.
func New(settings Settings) function.Function {
	a := newAccounts(&settings)
	return function.Function{
		Name: Name,
		Endpoints: web.Endpoints(Name, settings.Access, slices.Concat(
			a.signInRoutes(), a.accountRoutes(), a.guestRoutes(), a.clientRoutes(), adminRoutes())...),
		Emits: []events.Event{events.AccountCreated{}, events.AccountChanged{}, events.SessionRevoked{}, events.PasswordForgotten{}},
		Writes: []string{
			"accounts.users", "accounts.passwords", "accounts.sessions", "accounts.spent_tokens", "accounts.addresses",
			"accounts.guests", "accounts.clients", "accounts.ssh_keys", "accounts.throttles", "accounts.resets", "orders.addresses",
		},
	}
}

// newAccounts reads the keys of the settings. It adds the public parts of the signing keys to settings.TokenPublicKeys.
func newAccounts(settings *Settings) *accounts {
	a := &accounts{cookies: auth.Cookies{Secure: settings.Secure()}, hashing: make(chan struct{}, maxHashing)}
	keys, err := settings.Signing.Keys()
	if err != nil {
		panic(err) // Check rejects such settings
	}
	for i, key := range keys {
		if i == 0 {
			a.signing = token.NewSigning(key)
		}
		a.secrets = append(a.secrets, key.Seed())
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

func (a *accounts) signInRoutes() []web.Route {
	return []web.Route{
		web.Staged(http.MethodPost, "/v1/users/register", access.All, web.StagedCall[RegisterRequest, hashedPassword, RegisterAnswer]{
			Status: http.StatusCreated, Slots: a.hashing, Prepare: prepareRegister, Work: hashPassword, Do: a.register,
		}),
		web.Staged(http.MethodPost, "/v1/users/login", access.Credentials, web.StagedCall[LoginRequest, login, TokensAnswer]{
			Status: http.StatusOK, Slots: a.hashing, Prepare: prepareLogin, Delay: func(l *login) time.Duration { return l.delay },
			Work: checkLogin, Do: a.login,
		}),
		web.Post("/v1/users/refresh", access.Credentials, http.StatusOK, a.refresh),
		web.Post("/v1/users/logout", access.Account, http.StatusNoContent, a.logout),
		web.Post("/v1/users/password/forgot", access.Credentials, http.StatusAccepted, forgot),
		web.Staged(http.MethodPost, "/v1/users/password/reset", access.Credentials, web.StagedCall[ResetRequest, hashedPassword, struct{}]{
			Status: http.StatusNoContent, Slots: a.hashing, Prepare: prepareReset, Work: hashReset, Do: reset,
		}),
		web.Get("/v1/keys", access.All, a.readKeys),
	}
}

func (a *accounts) accountRoutes() []web.Route {
	return []web.Route{
		web.Get("/v1/users/me", access.Account, readMe),
		web.Staged(http.MethodPut, "/v1/users/me", access.Account, web.StagedCall[ProfileRequest, credentials, UserAnswer]{
			Status: http.StatusOK, Slots: a.hashing, Prepare: prepareProfile, Work: checkCredentials[ProfileRequest],
			Do: changeProfile,
		}),
		web.Delete("/v1/users/me", access.Account, a.closeAccount),
		web.Get("/v1/users/me/data", access.Account, readData),
		web.PartOf("/v1/users/me", web.Staged(http.MethodPut, "/v1/users/me/password", access.Account,
			web.StagedCall[PasswordRequest, credentials, struct{}]{
				Status: http.StatusNoContent, Slots: a.hashing, Prepare: preparePassword, Work: checkPassword,
				Do: changePassword,
			})),
		web.List("/v1/users/me/addresses", access.Account, listAddresses),
		web.Post("/v1/users/me/addresses", access.Account, http.StatusCreated, addAddress),
		web.PartOf("/v1/users/me/addresses", web.Put("/v1/addresses/{id}", access.Account, changeAddress)),
		web.PartOf("/v1/users/me/addresses", web.Delete("/v1/addresses/{id}", access.Account, deleteAddress)),
		web.List("/v1/users/me/ssh-keys", access.Account, listSSHKeys),
		web.Post("/v1/users/me/ssh-keys", access.Account, http.StatusCreated, addSSHKey),
		web.PartOf("/v1/users/me/ssh-keys", web.Delete("/v1/users/me/ssh-keys/{id}", access.Account, deleteSSHKey)),
		web.List("/v1/users/me/sessions", access.Account, listSessions),
		web.Delete("/v1/users/me/sessions", access.Account, endSessions),
	}
}

func (a *accounts) guestRoutes() []web.Route {
	return []web.Route{
		web.Post("/v1/customers", access.All, http.StatusCreated, a.addGuest),
		web.Get("/v1/customers/{id}", access.Guest, readGuest),
		web.Post("/v1/customers/{id}/token", access.Credentials, http.StatusOK, a.guestToken),
	}
}

func (a *accounts) clientRoutes() []web.Route {
	return []web.Route{
		web.List("/v1/clients", access.Admin, listClients),
		web.Post("/v1/clients", access.Admin, http.StatusCreated, addClient),
		web.PartOf("/v1/clients", web.Delete("/v1/clients/{id}", access.Admin, deleteClient)),
		web.Post("/v1/tokens", access.Credentials, http.StatusOK, a.clientToken),
	}
}

func adminRoutes() []web.Route {
	return []web.Route{
		web.List("/v1/users", access.Staff, listUsers),
		web.Get("/v1/users/{id}", access.Staff, readUser),
		web.Put("/v1/users/{id}", access.Admin, changeUser),
		web.List("/v1/audit", access.Admin, listAudit),
	}
}
