package simulator

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Payment is a payment in the simulator's books.
type Payment struct {
	Provider  string           `json:"provider"`
	Ref       string           `json:"ref"`
	Key       string           `json:"key"` // with which the shop asked for it
	OrderID   string           `json:"order_id"`
	Title     string           `json:"title"`
	Amount    int64            `json:"amount"`
	Currency  string           `json:"currency"`
	Status    string           `json:"status"` // open, paid, declined, expired, voided
	Received  int64            `json:"received"`
	Refunds   map[string]int64 `json:"refunds,omitempty"` // by key
	Declines  int              `json:"declines,omitempty"`
	NoRefunds bool             `json:"no_refunds,omitempty"`
	Chain     string           `json:"chain,omitempty"`
	Number    string           `json:"number,omitempty"`
	Confirm   string           `json:"confirmation,omitempty"`
	Token     string           `json:"token,omitempty"`
	Deadline  time.Time        `json:"deadline,omitzero"`
	Return    string           `json:"return,omitempty"`
	At        time.Time        `json:"at"`
}

// Refunded is the sum of the refunds.
func (p Payment) Refunded() (sum int64) {
	for _, amount := range p.Refunds {
		sum += amount
	}
	return sum
}

// Kept is what the shop has of the payment.
func (p Payment) Kept() int64 { return p.Received - p.Refunded() }

// act does something with the payment, and reports whether it is an act that can be done with it now.
func (p *Payment) act(act string) bool {
	open := p.Status == "open"
	switch act {
	case "pay":
		return open && p.receive(p.Amount)
	case "pay-less":
		return open && p.receive(p.Amount-1)
	case "pay-more":
		return open && p.receive(p.Amount+1)
	case "pay-late": // a convenience store reports what was paid before the slip was void
		return p.Status != "paid" && p.receive(p.Amount)
	case "pay-twice":
		return (open || p.Status == "paid") && p.receive(p.Amount) && (p.Received > p.Amount || p.receive(p.Amount))
	case "decline":
		return open && p.decline()
	case "expire":
		if open {
			p.Status = "expired"
		}
		return open
	case "refund": // on the provider's own page, which the shop does not hear of
		return p.Status == "paid" && p.refund("by hand "+rand.Text(), p.Kept()) == ""
	case "refuse-refunds":
		p.NoRefunds = !p.NoRefunds
		return true
	}
	return false
}

func (p *Payment) receive(amount int64) bool {
	p.Status = "paid"
	p.Received += amount
	return true
}

// decline refuses a card, which leaves the page open, or ends a slip.
func (p *Payment) decline() bool {
	p.Declines++
	if p.Provider == "konbini" {
		p.Status = "declined"
	}
	return true
}

// refund refunds money, once per key. reason is why it was refused, or empty.
func (p *Payment) refund(key string, amount int64) (reason string) {
	if _, done := p.Refunds[key]; done {
		return ""
	}
	switch {
	case p.NoRefunds:
		return "charge_disputed"
	case amount <= 0 || amount > p.Kept():
		return "amount_too_large"
	}
	if p.Refunds == nil {
		p.Refunds = map[string]int64{}
	}
	p.Refunds[key] = amount
	return ""
}

// books are payments by provider and reference, and the file in which each change is a line.
type books struct {
	payments map[string]*Payment
	file     *os.File
}

func key(provider, ref string) string { return provider + "/" + ref }

func openBooks(dir string) (b books, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return b, fmt.Errorf("make folder of payments: %w", err)
	}
	b.payments = map[string]*Payment{}
	b.file, err = os.OpenFile(filepath.Join(dir, "payments.jsonl"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return b, fmt.Errorf("open books of payments: %w", err)
	}
	lines := bufio.NewScanner(b.file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p := &Payment{}
		if json.Unmarshal(lines.Bytes(), p) == nil { // the last line may be cut off
			b.payments[key(p.Provider, p.Ref)] = p
		}
	}
	return b, lines.Err()
}

// write puts a payment into the books, or its new state.
func (b *books) write(p *Payment) error {
	b.payments[key(p.Provider, p.Ref)] = p
	if _, err := b.file.Write(encode(p)); err != nil {
		return fmt.Errorf("write books of payments: %w", err)
	}
	return nil
}

func (b *books) all() (all []Payment) {
	for _, p := range b.payments {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(x, y Payment) int {
		if c := x.At.Compare(y.At); c != 0 {
			return c
		}
		return strings.Compare(x.Ref, y.Ref)
	})
	return all
}

func (b *books) close() error { return b.file.Close() }
