package sendemail_test

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local/mailbox"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "send-email"

// mailer is a shop with a mail server.
type mailer struct {
	*shoptest.Shop
	box *mailbox.Store
}

func open(t *testing.T, changes ...func(*functions.Settings)) mailer {
	t.Helper()
	box, err := mailbox.Open(t.TempDir())
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = box.Serve(l) }()
	t.Cleanup(func() { require.NoError(t, box.Close()) })
	return mailer{over(t, "smtp://"+l.Addr().String(), changes...), box}
}

// over returns a shop that sends its mails to an SMTP URL.
func over(t *testing.T, smtp string, changes ...func(*functions.Settings)) *shoptest.Shop {
	return shoptest.Open(t, functions.All, append([]func(*functions.Settings){func(s *functions.Settings) {
		s.SimulatedSuccess, s.Shipping, s.SMTP, s.Staff, s.PublicURL = 1, "manual", smtp, "staff@shop.test", "https://shop.test/"
	}}, changes...)...)
}

// mails returns the mails that the server has accepted, oldest first.
func (p mailer) mails(t *testing.T) (all []mailbox.Mail) {
	t.Helper()
	w := httptest.NewRecorder()
	p.box.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/mailbox.json", nil))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &all))
	slices.Reverse(all)
	return all
}

func place(t *testing.T, shop *shoptest.Shop) shoptest.Placed {
	return shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 2)))
}

// states returns the kinds and states of an order's mails.
func states(t *testing.T, shop *shoptest.Shop) []string {
	return shoptest.Scalar[[]string](t, shop,
		`SELECT coalesce(array_agg(kind || ' ' || status ORDER BY created_at), '{}') FROM mail.mails`)
}

// NOT-01, NOT-17: how to pay is for methods that are not paid at once.
func TestDeliveredOrderSendsTwoMails(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed := p.OrderIn(t, "completed")
	for _, eventType := range []string{"payment.created", "payment.paid", "order.advanced", "order.shipped"} {
		for _, m := range p.Emitted(t, placed.ID, eventType) {
			p.Deliver(t, name, m)
		}
	}
	var subjects []string
	for _, m := range p.mails(t) {
		require.Equal(t, []string{"ada@example.test"}, m.To)
		subjects = append(subjects, m.Subject)
	}
	n := placed.OrderNumber
	require.Equal(t, []string{"Order " + n + " is confirmed", "Order " + n + " is on its way"}, subjects)
}

// NOT-03, NOT-05.
func TestRedeliverySendsNoSecondMail(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed := place(t, p.Shop)
	m := p.Store(t, events.PaymentPaid{OrderID: placed.ID})
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { _ = p.TryDeliver(t, name, m) }) // while one delivery sends, the others fail and are retried
	}
	all.Wait()
	p.Deliver(t, name, m)
	require.Empty(t, p.Send(t, name, events.PaymentPaid{OrderID: placed.ID}), "under another id: only the rows remember")
	require.Len(t, p.mails(t), 1)
	emitted := p.EmittedFor(t, name, m)
	require.Len(t, emitted, 1)
	require.Equal(t, "payment_paid", emitted[0].(events.MailSent).Kind)
	require.Equal(t, []string{"payment_paid sent"}, states(t, p.Shop))
}

// An order whose amount is set aside has the mail about how to pay.
func TestAnAuthorisedPaymentHasAMail_PAY_31(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed := place(t, p.Shop)
	require.Len(t, p.Send(t, name, events.PaymentAuthorised{OrderID: placed.ID, PaymentID: placed.ID}), 1)
	require.Contains(t, p.mails(t)[0].Subject, "How to pay for order "+placed.OrderNumber)
}

func TestEachEventHasItsMail(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed := place(t, p.Shop)
	for i, c := range []struct {
		event   events.Event
		subject string
		to      string
	}{
		{events.PaymentCreated{OrderID: placed.ID, URI: "https://pay.test/1"}, "How to pay for order", "ada@example.test"},
		{events.PaymentPaid{OrderID: placed.ID}, "is confirmed", "ada@example.test"},
		{events.OrderShipped{OrderID: placed.ID}, "is on its way", "ada@example.test"},
		{events.OrderAdvanced{OrderID: placed.ID, To: "ready_for_pickup"}, "is ready for you", "ada@example.test"},
		{events.OrderAdvanced{OrderID: placed.ID, To: "failed_delivery"}, "We could not deliver", "ada@example.test"},
		{events.OrderRejected{OrderID: placed.ID}, "could not be accepted", "ada@example.test"},
		{events.OrderExpired{OrderID: placed.ID}, "was not paid", "ada@example.test"},
		{events.OrderCancelled{OrderID: placed.ID}, "is cancelled", "ada@example.test"},
		{events.PaymentRefunded{OrderID: placed.ID}, "refund for order", "ada@example.test"},
		{events.RefundFailed{OrderID: placed.ID}, "[staff] The refund", "staff@shop.test"},
		{events.OrderStalled{OrderID: placed.ID}, "is stalled", "staff@shop.test"},
	} {
		require.Len(t, p.Send(t, name, c.event), 1, c.subject)
		mails := p.mails(t)
		require.Len(t, mails, i+1)
		m := mails[i]
		require.Contains(t, m.Subject, c.subject)
		require.Contains(t, m.Subject, placed.OrderNumber)
		require.Equal(t, []string{c.to}, m.To)
		for _, text := range []string{"2 × Harbour cap", "€48.00", "Kai 1", "https://shop.test/"} {
			require.Contains(t, m.HTML, text)
		}
	}
}

// NOT-02: the way to pay is in the mail, in every language and also when the payment is paid before the mail is sent.
func TestHowToPayHasAWayToPay_NOT_02(t *testing.T) {
	t.Parallel()
	p := open(t)
	for i, locale := range []string{"en", "ja"} {
		for j, entries := range [][]string{{"created"}, {"created", "captured"}} {
			placed := p.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 2)).With("locale", locale))
			uri := "https://pay.test/" + placed.ID
			p.Exec(t, `
				INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, provider_ref, uri)
				SELECT order_id, order_id, 'simulated', 'bank', total_minor, currency, order_id, $2 FROM orders.orders WHERE order_id = $1`,
				placed.ID, uri)
			p.Exec(t, `
				INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
				SELECT payment_id, kind, amount_minor, currency, provider, provider_ref
				FROM payments.payments, unnest($2::text[]) AS kind WHERE order_id = $1`, placed.ID, entries)
			p.Send(t, name, events.PaymentCreated{OrderID: placed.ID, PaymentID: placed.ID, URI: uri})
			mails := p.mails(t)
			require.Len(t, mails, 2*i+j+1)
			require.Contains(t, mails[2*i+j].Text, uri, "%s %v", locale, entries)
			require.Contains(t, mails[2*i+j].HTML, uri, "%s %v", locale, entries)
		}
	}
}

func TestOtherEventsSendNoMail(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed := place(t, p.Shop)
	for _, to := range []string{"processing", "picked_up", "in_transit"} {
		require.Empty(t, p.Send(t, name, events.OrderAdvanced{OrderID: placed.ID, To: to}))
	}
	require.Empty(t, p.mails(t))
	require.Empty(t, states(t, p.Shop))
}

// NOT-12.
func TestMailIsInTheLanguageOfTheOrder(t *testing.T) {
	t.Parallel()
	p := open(t)
	for locale, want := range map[string]string{"ja": "を承りました", "ja-JP": "を承りました", "fr": "is confirmed", "": "is confirmed"} {
		placed := p.Place(t, shoptest.Order(shoptest.Of(shoptest.Cup, 1)).With("locale", locale))
		p.Send(t, name, events.PaymentPaid{OrderID: placed.ID})
		mails := p.mails(t)
		require.Contains(t, mails[len(mails)-1].Subject, want, locale)
		require.Contains(t, mails[len(mails)-1].Text, "湯呑み「新月」", locale)
	}
}

// NOT-13.
func TestCustomerTextCannotInjectHeaders(t *testing.T) {
	t.Parallel()
	s := &server{}
	shop := over(t, s.serve(t))
	evil := "Ada\r\nBcc: eve@example.test\r\nSubject: won\r\n\r\n<script>alert(1)</script>, Eve <eve@example.test>"
	placed := place(t, shop)
	shop.Exec(t, `UPDATE orders.addresses SET name = $2 WHERE order_id = $1`, placed.ID, evil) // as an older version stored it
	shop.Send(t, name, events.PaymentPaid{OrderID: placed.ID})

	mails, recipients := s.heard()
	require.Len(t, mails, 1)
	require.Equal(t, []string{"TO:<ada@example.test>"}, recipients)
	m, err := mail.ReadMessage(strings.NewReader(mails[0]))
	require.NoError(t, err)
	require.Empty(t, m.Header["Bcc"])
	require.Len(t, m.Header["Subject"], 1)
	to, err := m.Header.AddressList("To")
	require.NoError(t, err)
	require.Len(t, to, 1)
	require.Equal(t, "ada@example.test", to[0].Address)
	require.NotContains(t, parts(t, m)["text/html"], "<script>")
}

// parts returns the parts of a mail by media type.
func parts(t *testing.T, m *mail.Message) map[string]string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	all := map[string]string{}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		require.Equal(t, "quoted-printable", part.Header.Get("Content-Transfer-Encoding"))
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		all[kind] = string(text)
	}
}

// NOT-08.
func TestMailIsWellFormed(t *testing.T) {
	t.Parallel()
	s := &server{}
	shop := over(t, s.serve(t))
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cup, 1)).With("locale", "ja"))
	shop.Send(t, name, events.PaymentPaid{OrderID: placed.ID})

	mails, _ := s.heard()
	m, err := mail.ReadMessage(strings.NewReader(mails[0]))
	require.NoError(t, err)
	from, err := m.Header.AddressList("From")
	require.NoError(t, err)
	require.Equal(t, "shop@popup.example", from[0].Address)
	_, err = m.Header.Date()
	require.NoError(t, err)
	require.Regexp(t, `^<[0-9a-f-]{36}@popup\.example>$`, m.Header.Get("Message-Id"))
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "ご注文 "+placed.OrderNumber+" を承りました", subject)
	text := parts(t, m)
	require.Contains(t, text["text/plain"], "湯呑み「新月」 × 1")
	require.Contains(t, text["text/html"], `<html lang="ja">`)
	for _, line := range strings.Split(mails[0], "\r\n") {
		require.LessOrEqual(t, len(line), 998)
	}
}

// NOT-11.
func TestMessageIDIsStable(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed, other := place(t, p.Shop), place(t, p.Shop)
	p.Send(t, name, events.PaymentPaid{OrderID: placed.ID})
	p.Exec(t, `UPDATE mail.mails SET status = 'waiting'`) // staff sends it again by hand
	p.Send(t, name, events.PaymentPaid{OrderID: placed.ID})
	p.Send(t, name, events.PaymentCreated{OrderID: placed.ID, URI: "https://pay.test/1"})
	p.Send(t, name, events.PaymentPaid{OrderID: other.ID})

	mails := p.mails(t)
	require.Len(t, mails, 4)
	require.Equal(t, mails[0].MessageID, mails[1].MessageID)
	require.NotEqual(t, mails[0].MessageID, mails[2].MessageID)
	require.NotEqual(t, mails[0].MessageID, mails[3].MessageID)
}

// NOT-09.
func TestRefusedMailIsSentLater(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed := place(t, p.Shop)
	m := p.Store(t, events.PaymentPaid{OrderID: placed.ID})
	p.box.RejectWith(func() error { return errors.New("the disk is full") })
	for range 2 {
		require.ErrorContains(t, p.TryDeliver(t, name, m), "the disk is full")
		require.Equal(t, []string{"payment_paid waiting"}, states(t, p.Shop))
	}
	p.box.RejectWith(nil)
	require.Len(t, p.Deliver(t, name, m), 1)
	p.Deliver(t, name, m)
	require.Len(t, p.mails(t), 1)
	require.EqualValues(t, 3, shoptest.Scalar[int64](t, p.Shop, `SELECT tries FROM mail.mails`))
}

// NOT-20: a server refuses a recipient or a text for good, or for the moment.
func TestMailThatIsRefusedForGoodFailsAtOnce(t *testing.T) {
	t.Parallel()
	for answer, c := range map[string]struct {
		server *server
		status string
	}{
		"550 no such mailbox, to RCPT": {&server{recipient: "550 no such mailbox"}, "failed"},
		"553 bad address, to RCPT":     {&server{recipient: "553 bad address"}, "failed"},
		"554 spam, to the text":        {&server{last: "554 spam"}, "failed"},
		"450 greylisted, to RCPT":      {&server{recipient: "450 come back later"}, "waiting"},
		"452 disk full, to the text":   {&server{last: "452 disk full"}, "waiting"},
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			shop := over(t, c.server.serve(t))
			m := shop.Store(t, events.PaymentPaid{OrderID: place(t, shop).ID})
			err := shop.TryDeliver(t, name, m)
			require.Equal(t, []string{"payment_paid " + c.status}, states(t, shop))
			if c.status == "waiting" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			emitted := shop.EmittedFor(t, name, m)
			require.Len(t, emitted, 1)
			require.Equal(t, "payment_paid", emitted[0].(events.MailFailed).Kind)
		})
	}
}

// NOT-20.
func TestRecipientsDomainIsSentInASCII(t *testing.T) {
	t.Parallel()
	s := &server{}
	shop := over(t, s.serve(t))
	placed := place(t, shop)
	shop.Exec(t, `UPDATE orders.addresses SET email = 'ada@bücher.example' WHERE order_id = $1`, placed.ID) // as an older version stored it
	shop.Send(t, name, events.PaymentPaid{OrderID: placed.ID})
	_, recipients := s.heard()
	require.Equal(t, []string{"TO:<ada@xn--bcher-kva.example>"}, recipients)
}

// NOT-17.
func TestOrderPaidAtOnceHasNoMailAboutPaying(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed := place(t, p.Shop)
	require.Empty(t, p.Send(t, name, events.PaymentCreated{OrderID: placed.ID}))
	require.Len(t, p.Send(t, name, events.PaymentPaid{OrderID: placed.ID}), 1)
	require.Len(t, p.mails(t), 1)
}

// NOT-09.
func TestMailIsSentOnceTheServerIsBack(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	shop := over(t, "smtp://"+address)
	m := shop.Store(t, events.PaymentPaid{OrderID: place(t, shop).ID})
	require.ErrorContains(t, shop.TryDeliver(t, name, m), "connect to mail server")
	require.Equal(t, []string{"payment_paid waiting"}, states(t, shop))

	box, err := mailbox.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = box.Close() })
	l, err = net.Listen("tcp", address)
	require.NoError(t, err)
	go func() { _ = box.Serve(l) }()
	require.Len(t, shop.Deliver(t, name, m), 1)
	require.Len(t, mailer{shop, box}.mails(t), 1)
}

// NOT-05.
func TestMailInUnknownStateIsNotSentAgain(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed := place(t, p.Shop)
	m := p.Store(t, events.PaymentPaid{OrderID: placed.ID})
	p.box.RejectWith(func() error { return errors.New("not now") })
	require.Error(t, p.TryDeliver(t, name, m))
	p.box.RejectWith(nil)
	p.Exec(t, `UPDATE mail.mails SET status = 'sending', taken_at = now()`) // as after a crash
	require.ErrorContains(t, p.TryDeliver(t, name, m), "is being sent")

	p.Exec(t, `UPDATE mail.mails SET taken_at = now() - interval '1 minute'`)
	require.Empty(t, p.Deliver(t, name, m))
	require.Equal(t, []string{"payment_paid unknown"}, states(t, p.Shop))
	require.Empty(t, p.Send(t, name, events.PaymentPaid{OrderID: placed.ID}))
	require.Empty(t, p.mails(t))
}

func TestMailWithLostResponseIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s := &server{hangUp: true}
	shop := over(t, s.serve(t))
	m := shop.Store(t, events.PaymentPaid{OrderID: place(t, shop).ID})
	require.ErrorContains(t, shop.TryDeliver(t, name, m), "response of the mail server was lost")
	require.Equal(t, []string{"payment_paid unknown"}, states(t, shop))
	require.Empty(t, shop.Deliver(t, name, m))
	mails, _ := s.heard()
	require.Len(t, mails, 1)
}

func TestAcceptedMailIsSent(t *testing.T) {
	t.Parallel()
	s := &server{last: "250 taken, and good bye"}
	shop := over(t, s.serve(t))
	m := shop.Store(t, events.PaymentPaid{OrderID: place(t, shop).ID})
	require.Len(t, shop.Deliver(t, name, m), 1)
	require.Equal(t, []string{"payment_paid sent"}, states(t, shop))
	mails, _ := s.heard()
	require.Len(t, mails, 1)
}

// NOT-10.
func TestMailIsGivenUpAfterFiftyTries(t *testing.T) {
	t.Parallel()
	p := open(t)
	placed := place(t, p.Shop)
	m := p.Store(t, events.PaymentPaid{OrderID: placed.ID})
	p.box.RejectWith(func() error { return errors.New("never") })
	require.Error(t, p.TryDeliver(t, name, m))
	p.Exec(t, `UPDATE mail.mails SET tries = 50`)
	emitted := p.Deliver(t, name, m)
	require.Len(t, emitted, 1)
	require.Equal(t, 50, emitted[0].(events.MailFailed).Tries)
	require.Equal(t, []string{"payment_paid failed"}, states(t, p.Shop))
}
