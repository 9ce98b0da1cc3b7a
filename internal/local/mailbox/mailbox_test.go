package mailbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// bundle is a box that listens.
type bundle struct {
	box  *Store
	dir  string
	smtp string
}

func setup(t *testing.T) bundle {
	t.Helper()
	b := bundle{dir: t.TempDir()}
	b.open(t)
	return b
}

// open opens the box of the folder, which is another one after a restart.
func (b *bundle) open(t *testing.T) {
	t.Helper()
	box, err := Open(b.dir)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- box.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, box.Close())
		require.NoError(t, <-served)
	})
	b.box, b.smtp = box, l.Addr().String()
}

func (b bundle) send(t *testing.T, to, mail string) {
	t.Helper()
	require.NoError(t, b.trySend(to, mail))
}

func (b bundle) trySend(to, mail string) error {
	return smtp.SendMail(b.smtp, nil, "shop@popup.test", strings.Split(to, ","), crlf(mail))
}

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func (b bundle) get(t *testing.T, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	b.box.Handler().ServeHTTP(w, r)
	return w
}

func (b bundle) mails(t *testing.T, query string) []Mail {
	t.Helper()
	w := b.get(t, "/mailbox.json"+query, "")
	require.Equal(t, http.StatusOK, w.Code)
	var mails []Mail
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &mails))
	return mails
}

const confirmation = `From: =?utf-8?q?popup_caf=C3=A9?= <shop@popup.test>
To: Ann <ann@example.test>
Subject: =?utf-8?B?44GU5rOo5paH44KS5om/44KK44G+44GX44Gf?=
Date: Tue, 03 Mar 2026 10:00:00 +0900
Message-ID: <order-1@popup.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Thank you. Your caf=C3=A9 is on its way: https://popup.test/orders/1.
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+VGhhbmsgeW91PC9w
Pg==
--inner--
--outer
Content-Type: text/plain
Content-Disposition: attachment; filename=note.txt

not the text
--outer--
`

func TestMailIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(t, "ann@example.test,hidden@example.test", confirmation)

	mails := b.mails(t, "")
	require.Len(t, mails, 1)
	m := mails[0]
	require.Equal(t, "popup café <shop@popup.test>", m.From)
	require.Equal(t, []string{"ann@example.test", "hidden@example.test"}, m.To)
	require.Equal(t, "ご注文を承りました", m.Subject)
	require.Equal(t, "2026-03-03T01:00:00Z", m.Date.UTC().Format("2006-01-02T15:04:05Z"))
	require.Equal(t, "<order-1@popup.test>", m.MessageID)
	require.Equal(t, "Thank you. Your café is on its way: https://popup.test/orders/1.", strings.TrimSpace(m.Text))
	require.Equal(t, "<p>Thank you</p>", m.HTML)
	require.False(t, m.ReceivedAt.IsZero())
}

func TestPageListsMailsNewestFirstAndShowsOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(t, "ann@example.test", "Subject: first\n\nhello")
	b.send(t, "ann@example.test", confirmation)

	w := b.get(t, "/mailbox", "text/html")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	list := w.Body.String()
	require.Less(t, strings.Index(list, "ご注文を承りました"), strings.Index(list, "first"))

	id := b.mails(t, "")[0].ID
	shown := b.get(t, "/mailbox/"+id, "text/html").Body.String()
	require.Contains(t, shown, `src="/mailbox/`+id+`/html" sandbox="allow-popups`)
	text := b.get(t, "/mailbox/"+id+"?as=text", "text/html").Body.String()
	require.Contains(t, text, `<a href="https://popup.test/orders/1"`)
	require.NotContains(t, text, "<iframe")

	frame := b.get(t, "/mailbox/"+id+"/html", "text/html")
	require.Contains(t, frame.Header().Get("Content-Security-Policy"), "sandbox allow-popups")
	require.Contains(t, frame.Body.String(), "<p>Thank you</p>")
	require.Contains(t, b.get(t, "/mailbox/style.css", "").Header().Get("Content-Type"), "text/css")
}

func TestJSONIsServedToThoseWhoAcceptIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.JSONEq(t, `[]`, b.get(t, "/mailbox", "application/json").Body.String())
	b.send(t, "ann@example.test", "Subject: hello\n\nhello")

	id := b.mails(t, "")[0].ID
	var one Mail
	require.NoError(t, json.Unmarshal(b.get(t, "/mailbox/"+id, "application/json").Body.Bytes(), &one))
	require.Equal(t, "hello", one.Subject)
	require.Equal(t, "shop@popup.test", one.From, "the envelope's when the mail says nothing")
	require.Equal(t, one.ReceivedAt, one.Date)
}

func TestFiltersKeepWhatTheyContain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(t, "ann@example.test", "Subject: Order confirmed\n\n")
	b.send(t, "ann@example.test", "Subject: Order sent\n\n")
	b.send(t, "bob@example.test", "Subject: Order sent\n\n")
	for query, want := range map[string]int{
		"":                       3,
		"?to=ANN@":               2,
		"?subject=sent":          2,
		"?to=ann&subject=SENT":   1,
		"?to=nobody":             0,
		"?limit=1":               1,
		"?to=ann%40example.test": 2,
	} {
		require.Len(t, b.mails(t, query), want, query)
	}
}

func TestNothingButMailsIsServed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "secret.eml"), []byte("Subject: no\n\n"), 0o600))
	for _, id := range []string{
		"secret", "..%2Fsecret", "{" + uuid.NewString() + "}", uuid.NewString(), strings.ToUpper(uuid.NewString()),
	} {
		require.Equal(t, http.StatusNotFound, b.get(t, "/mailbox/"+id, "").Code, id)
		require.Equal(t, http.StatusNotFound, b.get(t, "/mailbox/"+id+"/html", "").Code, id)
	}
}

func TestInjectionIsHarmless(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(t, "ann@example.test", `From: "<script>alert(1)</script>" <a@example.test>
Subject: =?utf-8?q?hi=0D=0ABcc:_eve@example.test=0D=0A<script>alert(2)</script>?=
X-Mailbox-To: eve@example.test
X-Mailbox-From: eve@example.test
Message-ID: "><script>alert(3)</script>

</pre><script>alert(4)</script> javascript:alert(5) https://a.test/"onclick="alert(6)
`)
	require.Error(t, b.trySend("ann@example.test>\r\nRCPT TO:<eve@example.test", "Subject: no\n\n"))

	m := b.mails(t, "")[0]
	require.Equal(t, []string{"ann@example.test"}, m.To, "a mail cannot say whom it was sent to")
	require.Equal(t, "hi  Bcc: eve@example.test  <script>alert(2)</script>", m.Subject)
	shown := b.get(t, "/mailbox/"+m.ID+`?to="><script>&subject=<script>`, "text/html").Body.String()
	require.NotContains(t, shown, "<script")
	require.NotContains(t, shown, `"onclick`)
	require.NotContains(t, b.get(t, "/mailbox", "text/html").Body.String(), "<script")
}

func TestMailThatFollowsNoRulesIsShownAsItIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, mail := range []string{
		"no header at all", "Content-Type: multipart/mixed\n\nno boundary", "Subject: =?x?q?y?=\n\n",
		"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/html\n\ncut", "\n", "",
	} {
		b.send(t, "ann@example.test", mail)
	}
	mails := b.mails(t, "")
	require.Len(t, mails, 6)
	for _, m := range mails {
		require.Equal(t, []string{"ann@example.test"}, m.To)
		require.Equal(t, http.StatusOK, b.get(t, "/mailbox/"+m.ID, "text/html").Code)
	}
	require.Contains(t, mails[5].Text, "no header at all")
}

func TestRestartKeepsMails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(t, "ann@example.test,bob@example.test", confirmation)
	b.send(t, "ann@example.test", "Subject: second\n\n")
	before := b.mails(t, "")
	require.NoError(t, b.box.Close())
	torn, err := os.OpenFile(filepath.Join(b.dir, fileName), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = torn.WriteString(uuid.NewString() + " 500\nSubject: half a ma")
	require.NoError(t, errors.Join(err, torn.Close()))

	b.open(t)
	require.Equal(t, before, b.mails(t, ""))
	b.send(t, "ann@example.test", "Subject: third\n\n")
	require.Equal(t, "third", b.mails(t, "")[0].Subject)
}

func TestRefusedMailIsNotKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.box.RejectWith(func() error { return errors.New("the disk is full\r\n250 ok") })
	err := b.trySend("ann@example.test", "Subject: no\n\n")
	require.ErrorContains(t, err, `451 "4.3.0 the disk is full  250 ok"`)
	require.Empty(t, b.mails(t, ""))

	b.box.RejectWith(nil)
	b.send(t, "ann@example.test", "Subject: yes\n\n")
	require.Len(t, b.mails(t, ""), 1)
}

func TestMailThatCannotBeStoredIsToBeTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	readOnly, err := os.Open(filepath.Join(b.dir, fileName)) // as a disk that is full
	require.NoError(t, errors.Join(err, b.box.file.f.Close()))
	b.box.file.f = readOnly
	require.ErrorContains(t, b.trySend("ann@example.test", "Subject: no\n\n"), `451 "4.3.0`)
	require.Empty(t, b.mails(t, ""))
}

func TestClosedBoxServesNothing(t *testing.T) {
	t.Parallel()
	box, err := Open(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, box.Close())
	require.NoError(t, box.Close())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, box.Serve(l))
}

func TestLimitsAreKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := strings.Repeat("x", 998) + "\n"
	require.ErrorContains(t, b.trySend("ann@example.test", "\n"+strings.Repeat(line, 1100)), "552")
	many := strings.Repeat("ann@example.test,", maxRecipients) + "ann@example.test"
	require.ErrorContains(t, b.trySend(many, "\n"), "452")
	require.Empty(t, b.mails(t, ""))
}

func TestIndexKeepsTheNewest(t *testing.T) {
	t.Parallel()
	b := &Store{}
	for i := range 2 * maxIndex {
		b.add(summary{ID: fmt.Sprintf("%08d", i)})
	}
	all := b.newest(func(summary) bool { return true }, 3*maxIndex)
	require.Len(t, all, maxIndex)
	require.Equal(t, fmt.Sprintf("%08d", 2*maxIndex-1), all[0].ID)
}

func TestManySendersAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 25 {
				if err := b.trySend("ann@example.test", confirmation); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	require.Len(t, b.mails(t, ""), 200)
}

func BenchmarkStore(b *testing.B) {
	box, err := Open(b.TempDir())
	require.NoError(b, err)
	raw := crlf(headerFrom + ": a@b.test\n" + headerTo + ": c@d.test\n" + confirmation)
	for b.Loop() {
		require.NoError(b, box.store(raw))
	}
}
