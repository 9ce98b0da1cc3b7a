package serveaccounts_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	serveaccounts "github.com/popup-shop/popup/functions/serve-accounts"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// ACC-10
func TestKeyRotationKeepsSessions(t *testing.T) {
	t.Parallel()
	_, next, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	secret, public := config.KeySettings(next)
	shop := open(t)
	ada := register(t, shop)
	with := func(change func(*functions.Settings)) *shoptest.Shop {
		settings, err := config.Read[functions.Settings]()
		require.NoError(t, err)
		change(&settings)
		changed := shop.Copy(t)
		changed.Replace(t, serveaccounts.New(serveaccounts.Settings{Access: settings.Access, Signing: settings.Signing}))
		return changed
	}
	both := with(func(s *functions.Settings) {
		s.TokenKeys, s.TokenPublicKeys = []string{secret}, []string{public, shoptest.PublicKey()}
	})
	require.Equal(t, http.StatusOK, get(t, both, "/v1/users/me", ada.bearer()...).Status)
	require.Len(t, get(t, both, "/v1/keys").Body["keys"], 2)
	fresh := refresh(t, both, ada.refresh).Body["access_token"].(string)

	after := with(func(s *functions.Settings) { s.TokenKeys = []string{secret} })
	require.Equal(t, http.StatusUnauthorized, get(t, after, "/v1/users/me", ada.bearer()...).Status, "the old key is gone, and its tokens with it")
	require.Equal(t, http.StatusOK, get(t, after, "/v1/users/me", "Authorization", "Bearer "+fresh).Status)
}

// ACC-10
func TestStartFailsWithoutAKey(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, serveaccounts.Settings{}.Check(), "TOKEN_KEYS")
	require.ErrorContains(t, serveaccounts.Settings{Signing: config.Signing{TokenKeys: []string{"x"}}}.Check(), "TOKEN_KEYS")
}

// ACC-08
func TestAccessTokenExpiresAfterAnHour(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	claims := shoptest.ClaimsOf(t, ada.access)
	for age, status := range map[time.Duration]int{59 * time.Minute: http.StatusOK, token.Life + time.Second: http.StatusUnauthorized} {
		old := shoptest.BearerOf(t, claims, time.Now().Add(-age))
		require.Equal(t, status, get(t, shop, "/v1/users/me", "Authorization", old).Status, age)
	}
}
