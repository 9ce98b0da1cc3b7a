package functions_test

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"

	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/contract"
	"github.com/popup-shop/popup/internal/local/bucket"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/shoptest"
)

// day is a scenario of requests that all go through the gateway. Every response is checked against the contract.
type day struct {
	*shoptest.Shop
	t        *testing.T
	address  string
	visitor  *client.Client
	answered map[string]bool // operations with a successful response
	seen     map[int]bool    // status codes
	tags     int64           // number of tags at the start
}

func openDay(t *testing.T, perMinute int) *day {
	t.Helper()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) {
		s.SimulatedSuccess, s.Pictures, s.CardSecrets = 1, pictures(t), []string{noticeSecret}
		s.PaymentMethods = []string{"simulated", payment.PreAuthorised}
	})
	d := &day{Shop: shop, t: t, answered: map[string]bool{}, seen: map[int]bool{}}
	settings := servegateway.Settings{
		Gateway: config.Gateway{RateLimit: perMinute}, Access: config.Access{TokenPublicKeys: []string{shoptest.PublicKey()}},
	}
	d.address = shop.Serve(t, servegateway.Within(settings))
	d.visitor = client.New(d.address, client.HTTP(&http.Client{Transport: d}), client.Patience(0))
	return d
}

// pictures returns the settings of an S3-compatible store for a test.
func pictures(t *testing.T) config.Pictures {
	t.Helper()
	store, err := bucket.Open(t.TempDir(), "pictures")
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return config.Pictures{
		S3URL: store.URL, S3Bucket: "pictures", S3Region: "local", S3Key: store.Key, S3Secret: store.Secret,
		PictureURL: config.PictureURL{PicturesURL: "/pictures/"},
	}
}

// RoundTrip sends a request, checks the response against the contract and records it.
func (d *day) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	require.NoError(d.t, err)
	require.NoError(d.t, answer.Body.Close())
	answer.Body = io.NopCloser(bytes.NewReader(body))
	operation := shoptest.CheckResponse(d.t, r, answer.StatusCode, answer.Header, body)
	d.answered[operation] = d.answered[operation] || answer.StatusCode/100 == 2
	d.seen[answer.StatusCode] = true
	return answer, nil
}

// as returns a client that is signed in with a role.
func (d *day) as(role string) *client.Client {
	return d.visitor.With(client.Header("Authorization", d.SignIn(d.t, role).Bearer))
}

// ok returns the response to a request that must succeed.
func ok[A any](answer A, err error) func(testing.TB) A {
	return func(t testing.TB) A {
		t.Helper()
		require.NoError(t, err)
		return answer
	}
}

// API-13: every route of the contract is called successfully. A new route needs a request in one of these scenes.
func TestEveryRouteOfTheContractResponds(t *testing.T) {
	t.Parallel()
	d := openDay(t, 0)
	d.aVisitorLooksAround()
	d.aGuestOrdersAndCancels()
	d.aVisitorFillsABasketAndOrdersIt()
	d.aCustomerSignsUpAndSettlesIn()
	d.aCustomerUsesPoints()
	d.aCustomerClaimsAnOrder()
	d.aCustomerLeaves()
	d.staffReceivesGoods()
	d.staffKeepsTheCatalogue()
	d.staffHoldsGoodsByHand()
	d.staffShipsAnOrder()
	d.staffRefundsAnOrder()
	d.customerPaysFromAnAuthorisedAmount()
	d.staffWatchesTheEngine()
	d.anAdminLooksAfterPeopleAndPrograms()
	d.anAdminReadsTables()
	for _, operation := range shoptest.Operations(t) {
		require.True(t, d.answered[operation], "no successful request of %s", operation)
	}
}

func TestPublishedContractIsGenerated(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "schemas")
	require.NoError(t, os.CopyFS(filepath.Join(dir, "..", "events"), os.DirFS("../events")))
	require.NoError(t, contract.Write(dir, functions.All(functions.Settings{})))
	made, err := contract.Client(os.DirFS(".."), functions.All(functions.Settings{}))
	require.NoError(t, err)
	require.NotEmpty(t, made)
	for _, name := range []string{"openapi.yaml", "asyncapi.yaml", "routes.json", "functions.json"} {
		made["../schemas/"+name], err = fs.ReadFile(os.DirFS(dir), name)
		require.NoError(t, err)
	}
	for name, content := range made {
		published, err := os.ReadFile(filepath.Join("../client", name))
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, published), "%s is out of date: run make generate", name)
	}
}
