package serveaccounts_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hiddeco/sshsig"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/popup-shop/popup/internal/shoptest"
)

// newSSHKey returns a key as a line of authorized_keys, and a function that signs with it as ssh-keygen -Y sign does.
func newSSHKey(t *testing.T) (line string, sign func(text, namespace string) string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromSigner(private)
	require.NoError(t, err)
	return string(ssh.MarshalAuthorizedKey(signer.PublicKey())), func(text, namespace string) string {
		signature, err := sshsig.Sign(strings.NewReader(text), signer, sshsig.HashSHA512, namespace)
		require.NoError(t, err)
		return string(sshsig.Armor(signature))
	}
}

// ACC-35: a stranger who adds a user's public key first does not keep it.
func TestOwnerOfAnSSHKeyTakesItFromAStranger(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := register(t, shop), register(t, shop)
	line, sign := newSSHKey(t)
	_, another := newSSHKey(t)
	add := func(who person, signature string) shoptest.Response {
		body := map[string]string{"name": "laptop", "key": strings.TrimSpace(line)}
		if signature != "" {
			body["signature"] = signature
		}
		return post(t, shop, "/v1/users/me/ssh-keys", body, who.bearer()...)
	}
	require.Equal(t, http.StatusCreated, add(eve, "").Status)
	require.Equal(t, http.StatusConflict, add(ada, "").Status)
	for what, signature := range map[string]string{
		"text": "x", "for another account": sign(eve.id, "popup"), "for another use": sign(ada.id, "git"), "by another key": another(ada.id, "popup"),
	} {
		a := add(ada, signature)
		require.Equal(t, http.StatusBadRequest, a.Status, what)
		require.Equal(t, []string{"signature"}, a.Fields(), what)
	}
	a := add(ada, sign(ada.id, "popup"))
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	require.Empty(t, items(t, get(t, shop, "/v1/users/me/ssh-keys", eve.bearer()...)))
	require.Equal(t, http.StatusConflict, add(eve, "").Status, "it is proven to be hers")
	require.Equal(t, http.StatusConflict, add(ada, sign(ada.id, "popup")).Status)
}

// ACC-27: an account has a limited number of addresses, also when they are added at the same time.
func TestAddressesOfAnAccountAreLimited(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	var all sync.WaitGroup
	answers := make([]shoptest.Response, 60)
	for i := range answers {
		all.Go(func() { answers[i] = post(t, shop, "/v1/users/me/addresses", home(), ada.bearer()...) })
	}
	all.Wait()
	added := 0
	for _, a := range answers {
		require.Contains(t, []int{http.StatusCreated, http.StatusConflict, http.StatusTooManyRequests, http.StatusServiceUnavailable}, a.Status, a.Raw)
		if a.Status == http.StatusCreated {
			added++
		}
	}
	require.LessOrEqual(t, added, 50)
	for added < 50 {
		require.Equal(t, http.StatusCreated, post(t, shop, "/v1/users/me/addresses", home(), ada.bearer()...).Status)
		added++
	}
	a := post(t, shop, "/v1/users/me/addresses", home(), ada.bearer()...)
	require.Equal(t, http.StatusConflict, a.Status, a.Raw)
	require.Equal(t, "/problems/not-possible-now", a.Body["type"])
	require.EqualValues(t, 50, shoptest.Scalar[int](t, shop, `SELECT count(*) FROM accounts.addresses`))
}

// ACC-35
func TestSSHKeysOfAnAccountAreLimited(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	for i := range 21 {
		line, _ := newSSHKey(t)
		a := post(t, shop, "/v1/users/me/ssh-keys", map[string]string{"name": "laptop", "key": strings.TrimSpace(line)}, ada.bearer()...)
		if i < 20 {
			require.Equal(t, http.StatusCreated, a.Status, a.Raw)
		} else {
			require.Equal(t, http.StatusConflict, a.Status, a.Raw)
		}
	}
}
