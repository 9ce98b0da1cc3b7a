// Package simulator plays the payment providers: it speaks their protocols, keeps its own books on disk, and lets people
// and tests pay, decline, expire, pay less, late or twice. The shop runs against it as it does against the real ones.
package simulator

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/payment"
)

// Simulator plays the providers card, taler and konbini.
type Simulator struct {
	URL    string // of the providers' APIs
	Key    string // that opens them
	Secret string // that signs notices

	// Public is the address at which customers reach the pages of the simulator, such as http://localhost:8080/simulator.
	Public string
	// Notify receives the signed notices; nil: there are none.
	Notify func(ctx context.Context, provider string, body []byte, signature string) (status int)
	// Fault, if set, decides what goes wrong with a call of the shop.
	Fault func(r *http.Request) Fault

	mu      sync.Mutex
	books   books
	server  *http.Server
	notices sync.WaitGroup
	ctx     context.Context
	stop    context.CancelFunc
}

// Fault is what goes wrong with a call.
type Fault string

// Faults.
const (
	None     Fault = ""
	Down     Fault = "down"     // nothing happens, 503
	Lost     Fault = "lost"     // it happens, and the connection ends without an answer
	Garbage  Fault = "garbage"  // it happens, and the answer is not JSON
	Huge     Fault = "huge"     // it happens, and the answer is 10 MiB
	Redirect Fault = "redirect" // nothing happens, and the answer leads elsewhere
	Wrapped  Fault = "wrapped"  // nothing happens, and the answer is an error with 200
)

// headIn is how long the head of a request may take.
const headIn = 10 * time.Second

// Open opens the simulator with the books of a folder, and serves the providers' APIs on loopback.
func Open(dir string) (*Simulator, error) {
	b, err := openBooks(dir)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = b.close()
		return nil, fmt.Errorf("open payment simulator: %w", err)
	}
	s := &Simulator{URL: "http://" + l.Addr().String(), Key: rand.Text(), Secret: rand.Text(), books: b}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.server = &http.Server{Handler: s.api(), ReadHeaderTimeout: headIn}
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

// Close ends it. The books stay.
func (s *Simulator) Close() error {
	s.stop()
	err := s.server.Close()
	s.notices.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.books.close())
}

// Settings are the settings with which the shop uses the simulator, where it has none of its own.
func (s *Simulator) Settings(own config.Payments) config.Payments {
	if own.Production {
		return own
	}
	if own.CardKey == "" {
		own.CardURL, own.CardKey, own.CardSecrets = s.URL+"/card", s.Key, []string{s.Secret}
	}
	if own.TalerURL == "" {
		own.TalerURL, own.TalerToken, own.TalerSecrets = s.URL+"/taler", s.Key, []string{s.Secret}
	}
	if own.KonbiniURL == "" {
		own.KonbiniURL, own.KonbiniKey, own.KonbiniSecrets = s.URL+"/konbini", s.Key, []string{s.Secret}
	}
	return own
}

// Acts are what customers and providers do with a payment.
var Acts = []string{"pay", "decline", "expire", "pay-less", "pay-more", "pay-late", "pay-twice", "refund", "refuse-refunds"}

// ErrUnknown is returned for a payment or an act that does not exist.
var ErrUnknown = errors.New("there is no such payment or act")

// Act does something with a payment, and sends the notice of it.
func (s *Simulator) Act(provider, ref, act string) (Payment, error) {
	s.mu.Lock()
	p, ok := s.books.payments[key(provider, ref)]
	if !ok || !p.act(act) {
		s.mu.Unlock()
		return Payment{}, ErrUnknown
	}
	err := s.books.write(p)
	changed := *p
	s.mu.Unlock()
	if err == nil {
		s.notify(changed, act)
	}
	return changed, err
}

// Payments returns the books: every payment of every provider, the oldest first.
func (s *Simulator) Payments() []Payment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.books.all()
}

// Of returns the payment of an order in the books.
func (s *Simulator) Of(orderID string) (Payment, bool) {
	for _, p := range s.Payments() {
		if p.OrderID == orderID {
			return p, true
		}
	}
	return Payment{}, false
}

// waits are the pauses before a notice is sent again.
var waits = []time.Duration{0, time.Second, 5 * time.Second, 30 * time.Second}

// notify sends the notice of a change, again until the shop has accepted it.
func (s *Simulator) notify(p Payment, act string) {
	if s.Notify == nil {
		return
	}
	body := notice(p, act)
	s.notices.Go(func() {
		for _, wait := range waits {
			select {
			case <-time.After(wait):
			case <-s.ctx.Done():
				return
			}
			if s.Notify(s.ctx, p.Provider, body, payment.Sign(s.Secret, time.Now(), body)) == http.StatusOK {
				return
			}
		}
	})
}

// notice is the notice of a change, as the provider writes it.
func notice(p Payment, act string) []byte {
	id := "evt_" + rand.Text()
	if p.Provider == "card" {
		kinds := map[string]string{"expire": "checkout.session.expired", "decline": "checkout.session.async_payment_failed"}
		kind := kinds[act]
		if kind == "" {
			kind = "checkout.session.completed"
		}
		return encode(map[string]any{"id": id, "object": "event", "type": kind, "data": map[string]any{"object": sessionOf(p, "")}})
	}
	return encode(map[string]any{"id": id, "type": act, "order_id": p.Ref})
}

func encode(v any) []byte {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(v); err != nil {
		panic(err) // all that is encoded here is made here
	}
	return text.Bytes()
}
