package sendemail_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// limit sets how many mails a day a stranger can have sent to an address.
func limit(most int) func(*functions.Settings) { return func(s *functions.Settings) { s.Daily = most } }

func (p mailer) order(t *testing.T, email string, headers ...string) shoptest.Placed {
	t.Helper()
	order := shoptest.Order(shoptest.Of(shoptest.Cap, 1))
	order["contact"] = map[string]any{"name": "Ada", "email": email, "phone": "+49 40 123456"}
	return p.Place(t, order, headers...)
}

// NOT-13: a stranger cannot have any number of mails sent to an address, in whatever case they write it.
func TestMailsOfStrangersToAnAddressAreLimited(t *testing.T) {
	t.Parallel()
	p := open(t, limit(3))
	for _, email := range []string{"ada@example.test", "Ada@example.test", "ada@EXAMPLE.test"} {
		placed := p.order(t, email)
		p.Send(t, name, events.PaymentPaid{OrderID: placed.ID})
		p.Send(t, name, events.OrderShipped{OrderID: placed.ID})
	}
	require.Len(t, p.mails(t), 3)
	require.EqualValues(t, 3, shoptest.Scalar[int64](t, p.Shop, `SELECT count(*) FROM mail.mails WHERE status = 'limited'`))
	p.Send(t, name, events.OrderStalled{OrderID: p.order(t, "ada@example.test").ID})
	require.Len(t, p.mails(t), 4, "staff gets theirs")
	p.Send(t, name, events.PaymentPaid{OrderID: p.order(t, "eve@example.test").ID})
	require.Len(t, p.mails(t), 5, "another address")

	p.Exec(t, `UPDATE mail.recipients SET day = day - 1`)
	p.Send(t, name, events.PaymentPaid{OrderID: p.order(t, "ada@example.test").ID})
	require.Len(t, p.mails(t), 6, "on another day")
}

// NOT-13
func TestMailsOfAnAccountToItsOwnAddressAreNotLimited(t *testing.T) {
	t.Parallel()
	p := open(t, limit(1))
	ada := p.SignIn(t, "customer")
	for range 3 {
		p.Send(t, name, events.PaymentPaid{OrderID: p.order(t, ada.Email, "Authorization", ada.Bearer).ID})
	}
	require.Len(t, p.mails(t), 3)
}
