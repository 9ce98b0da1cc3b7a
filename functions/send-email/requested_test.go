package sendemail_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/shoptest"
)

// requested returns a request of staff to send the one mail of an order again.
func (p mailer) requested(t *testing.T, orderID string) events.MailRequested {
	t.Helper()
	mailID := shoptest.Scalar[string](t, p.Shop, `SELECT mail_id::text FROM mail.mails WHERE order_id = $1`, orderID)
	return events.MailRequested{MailID: mailID, OrderID: orderID, Kind: "payment_paid", By: uuid.NewString(), RequestID: uuid.NewString()}
}

// API-85, NOT-10: a mail that was not sent is sent when staff asks for it, whatever its limit.
func TestStaffHasAMailSentAgain_NOT_10(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"failed", "unknown", "limited", "waiting"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			p := open(t, limit(1))
			placed := place(t, p.Shop)
			p.Send(t, name, events.PaymentPaid{OrderID: placed.ID})
			p.Exec(t, `UPDATE mail.mails SET status = $1`, status)
			require.Len(t, p.Send(t, name, p.requested(t, placed.ID)), 1)
			require.Len(t, p.mails(t), 2)
			require.Equal(t, []string{"payment_paid sent"}, states(t, p.Shop))
			require.Empty(t, p.Send(t, name, p.requested(t, placed.ID)), "it is sent")
			require.Len(t, p.mails(t), 2)
		})
	}
}

// NOT-05: one request sends a mail once, also when it is not known whether it was sent.
func TestARequestIsTakenUpOnce_NOT_05(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed := place(t, p.Shop)
	p.Send(t, name, events.PaymentPaid{OrderID: placed.ID})
	p.Exec(t, `UPDATE mail.mails SET status = 'failed'`)
	asked := p.requested(t, placed.ID)
	p.Send(t, name, asked)
	p.Exec(t, `UPDATE mail.mails SET status = 'unknown'`)
	require.Empty(t, p.Send(t, name, asked), "under another id: only the row remembers")
	require.Len(t, p.mails(t), 2)
	require.Equal(t, []string{"payment_paid unknown"}, states(t, p.Shop))
}

var link = regexp.MustCompile(`https://shop\.test/o/(ORD-[0-9A-Z-]+)#([0-9A-Z]+)`)

// NOT-15, NOT-18: the link in the mail about a guest's order opens that order, and no event, log or preview has its token.
func TestTheLinkOfAMailOpensTheOrderOfAGuest_NOT_15_NOT_18(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed, other := place(t, p.Shop), place(t, p.Shop)
	p.Send(t, name, events.PaymentPaid{OrderID: placed.ID})
	m := p.mails(t)[0]
	found := link.FindStringSubmatch(m.Text)
	require.NotNil(t, found, m.Text)
	require.Contains(t, m.HTML, found[0])
	number, token := found[1], found[2]
	require.Equal(t, placed.OrderNumber, number)
	open := func(name, token, source string) shoptest.Response {
		return p.Call(t, "serve-orders", http.MethodPost, "/v1/orders/"+name+"/session", map[string]string{"order_token": token}, "X-Forwarded-For", source)
	}
	a := open(number, token, "203.0.113.1")
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Equal(t, placed.ID, a.Body["id"])
	for _, cookie := range a.Header.Values("Set-Cookie") {
		require.Regexp(t, `HttpOnly`, cookie)
		require.Regexp(t, `SameSite=Lax`, cookie)
	}
	wrong, unknown := open(other.OrderNumber, token, "203.0.113.2"), open("ORD-20260101-AAAAAA", token, "203.0.113.2")
	require.Equal(t, http.StatusNotFound, wrong.Status)
	require.Equal(t, wrong.Raw, unknown.Raw)
	seen := map[int]int{}
	for range 20 {
		seen[open(number, "x", "203.0.113.3").Status]++
	}
	require.NotZero(t, seen[http.StatusTooManyRequests], seen)
	require.Equal(t, http.StatusOK, open(number, token, "198.51.100.1").Status, "others are not kept out")
	require.NotContains(t, p.Log(), token)
	require.Zero(t, shoptest.Scalar[int64](t, p.Shop, `SELECT count(*) FROM bus.event WHERE data::text LIKE '%' || $1 || '%'`, token))
	require.Zero(t, shoptest.Scalar[int64](t, p.Shop, `SELECT count(*) FROM mail.mails m WHERE m::text LIKE '%' || $1 || '%'`, token))
}

// NOT-18: who has an account signs in, and what an account has taken over is no guest's any more.
func TestLinksOfAccountsHaveNoToken_NOT_18(t *testing.T) {
	t.Parallel()
	p := open(t)
	ada := p.SignIn(t, "customer")
	own := p.order(t, ada.Email, "Authorization", ada.Bearer)
	claimed, older := place(t, p.Shop), place(t, p.Shop)
	a := p.Call(t, "serve-orders", http.MethodPost, "/v1/orders/"+claimed.ID+"/claim", map[string]string{"order_token": claimed.Token}, "Authorization", ada.Bearer)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	p.ChangeOrder(t, older.ID, "token_hash = sha256('random')") // as an older version stored it
	for i, placed := range []shoptest.Placed{own, claimed, older} {
		p.Send(t, name, events.PaymentPaid{OrderID: placed.ID})
		text := p.mails(t)[i].Text
		require.Contains(t, text, "https://shop.test/o/"+placed.OrderNumber)
		require.NotContains(t, text, "#")
	}
	p.Send(t, name, events.OrderStalled{OrderID: older.ID})
	require.Contains(t, p.mails(t)[3].Text, "https://shop.test/office/orders/"+older.ID)
}
