package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
)

// What is decided by locks in the database is decided alike when each function is a process of its own.
func TestAsProcesses(t *testing.T) {
	p := newProgram(t, "--processes", "--idle", "30s")
	p.flags, p.env = append(p.flags, "--bin", p.bin), []string{"SHIPPING=manual"} // orders stay open
	p.start()
	t.Run("a refused order gives its basket back", p.restoresBaskets)
	t.Run("an account is not closed under its order", p.keepsAccounts)
	out, err := p.popup("check", "--rebuild")
	require.NoError(t, err, out)
}

// BSK-11.
func (p *program) restoresBaskets(t *testing.T) {
	order := func(basketID, token string) error {
		o := cup()
		o.Lines, o.BasketID = nil, basketID
		_, err := p.shop().PlaceOrder(t.Context(), o, client.Key(uuid.NewString()), client.Wait(10*time.Second),
			client.BasketToken(token))
		return err
	}
	var all []client.Basket
	for range 2 {
		// there are 30
		b, err := p.shop().AddBasketItem(t.Context(), client.AddBasketItemRequest{SKU: "PLATE-03", Quantity: 20})
		require.NoError(t, err)
		all = append(all, b)
	}
	require.NoError(t, order(all[0].ID, all[0].Token))
	problem := (*client.Problem)(nil)
	require.ErrorAs(t, order(all[1].ID, all[1].Token), &problem)
	require.Equal(t, "out-of-stock", problem.Kind())

	shown := client.BasketToken(all[1].Token)
	again, err := p.shop().GetBasket(t.Context(), shown)
	require.NoError(t, err)
	require.Equal(t, all[1].ID, again.ID)
	require.EqualValues(t, 20, again.Count)
	_, err = p.shop().ChangeBasketItem(t.Context(), again.Lines[0].ID, client.ChangeBasketItemRequest{Quantity: 10}, shown)
	require.NoError(t, err)
	require.NoError(t, order(all[1].ID, all[1].Token))
}

// keepsAccounts has customers order and close their accounts 3 to 28 ms apart.
func (p *program) keepsAccounts(t *testing.T) {
	for i := range 24 {
		email := fmt.Sprintf("ada-%d@example.test", i)
		ada, err := p.shop().Register(t.Context(),
			client.RegisterRequest{Email: email, Name: "Ada", Phone: "+49 40 123456", Password: "correct horse battery"})
		require.NoError(t, err)
		var both sync.WaitGroup
		var ordered, closed error
		both.Go(func() {
			_, ordered = p.shop().PlaceOrder(t.Context(), cup(), client.Key(email), client.Wait(0),
				client.Token(ada.AccessToken))
		})
		both.Go(func() {
			time.Sleep(3*time.Millisecond + rand.N(25*time.Millisecond))
			closed = p.shop().DeleteMe(t.Context(), client.Token(ada.AccessToken))
		})
		both.Wait()
		require.Contains(t, []int{http.StatusOK, http.StatusUnauthorized}, status(ordered), "%v", ordered)
		require.Contains(t, []int{http.StatusOK, http.StatusConflict}, status(closed), "%v", closed)
		require.NotEqual(t, ordered == nil, closed == nil, "one of them: %v; %v", ordered, closed)
	}
}

// status is that of a problem, and 200 for none.
func status(err error) int {
	if problem := (*client.Problem)(nil); errors.As(err, &problem) {
		return problem.Status
	}
	return http.StatusOK
}
