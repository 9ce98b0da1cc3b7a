package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// companyIn is how long a company may take.
const companyIn = 20 * time.Second

// lockSoon ends a company that a lock keeps waiting: whoever holds it keeps nobody but those who need what it locks.
var lockSoon = statement{sql: `SET LOCAL lock_timeout = '250ms'`}

var errPanic = errors.New("panic")

// company is a transaction that several turns share. Their handlers run side by side; what they ask is sent in one message
// once all that still run have asked. So all of them need no more round trips than the one that asks most.
type company struct {
	tx    *pipeline
	heard chan word
	err   error // the transaction is lost
}

// word is what a member says: a question, or none: it has ended.
type word struct {
	from     *member
	question *pgx.Batch
}

// member is a turn in company. It is the link of its handler's pipeline.
type member struct {
	*turn
	company *company
	tx      *pipeline
	answers chan *portion
	reading *portion
	err     error
}

// together runs turns in one transaction, all or none. A company of one has its own error; any other, and one that may only
// not have waited long enough for a lock, came to nothing.
func together(ctx context.Context, conn *pgxpool.Conn, turns []*turn) error {
	err := transactTogether(ctx, conn, turns)
	if err != nil && (len(turns) > 1 || passes(err) || errors.Is(err, errPanic)) {
		return errAlone
	}
	return err
}

func transactTogether(ctx context.Context, conn *pgxpool.Conn, turns []*turn) error {
	ctx, cancel := context.WithTimeout(ctx, companyIn)
	defer cancel()
	defer rollback(conn)
	c := &company{tx: begin(conn, append([]statement{lockSoon}, opening(turns...)...)...), heard: make(chan word)}
	members := c.gather(turns)
	c.converse(ctx, len(members))
	for _, m := range members {
		if m.err != nil { // whose event is not ours to handle has failed for that, whatever the handler made of it
			c.tx.flush(ctx)
		}
		if err := cmp.Or(c.err, c.tx.err, m.tx.err, m.err); err != nil {
			return err
		}
		c.tx.waiting = append(c.tx.waiting, m.tx.waiting...)
	}
	return c.tx.end(ctx, closing(turns...)...)
}

// gather lets the handlers of all turns begin.
func (c *company) gather(turns []*turn) []*member {
	members := make([]*member, len(turns))
	for i, t := range turns {
		m := &member{turn: t, company: c, answers: make(chan *portion)}
		m.tx = &pipeline{link: m}
		members[i] = m
		go m.run()
	}
	slices.SortStableFunc(members, inOrder)
	return members
}

func inOrder(a, b *member) int { return strings.Compare(a.told.key(), b.told.key()) }

// converse sends what all ask at once, as long as anybody asks.
func (c *company) converse(ctx context.Context, running int) {
	for running > 0 {
		questions := map[*member]*pgx.Batch{}
		var asking []*member
		for len(asking) < running {
			if w := <-c.heard; w.question == nil {
				running--
			} else {
				asking, questions[w.from] = append(asking, w.from), w.question
			}
		}
		slices.SortStableFunc(asking, inOrder)
		c.ask(ctx, asking, questions)
	}
}

// ask sends questions in one message, and lets each member read its answers in turn.
func (c *company) ask(ctx context.Context, asking []*member, questions map[*member]*pgx.Batch) {
	if len(asking) == 0 {
		return
	}
	all := &pgx.Batch{}
	for _, m := range asking {
		all.QueuedQueries = append(all.QueuedQueries, questions[m].QueuedQueries...)
	}
	var results pgx.BatchResults
	if c.err == nil {
		results, c.err = c.tx.sendBatch(ctx, all)
	}
	for _, m := range asking {
		over := make(chan struct{})
		m.answers <- &portion{BatchResults: results, left: questions[m].Len(), err: c.err, over: over}
		<-over
	}
	if c.err == nil {
		c.err = results.Close()
	}
}

// run runs the handler.
func (m *member) run() {
	defer func() {
		if p := recover(); p != nil {
			m.err = fmt.Errorf("%w: %v", errPanic, p)
		}
		m.reading.Close()
		m.company.heard <- word{from: m}
	}()
	m.err = m.turn.run(m.tx)
}

// SendBatch asks together with the others.
func (m *member) SendBatch(_ context.Context, question *pgx.Batch) pgx.BatchResults {
	m.reading.Close()
	m.company.heard <- word{m, question}
	m.reading = <-m.answers
	return m.reading
}

// portion is a member's share of the answers. The shares stand one behind the other, so each is read to its end.
type portion struct {
	pgx.BatchResults
	left int
	err  error
	over chan struct{}
}

func (p *portion) Exec() (pgconn.CommandTag, error) {
	if p.left--; p.err != nil {
		return pgconn.CommandTag{}, p.err
	}
	return p.BatchResults.Exec()
}

func (p *portion) Query() (pgx.Rows, error) {
	if p.left--; p.err != nil {
		return nil, p.err
	}
	return p.BatchResults.Query()
}

func (p *portion) QueryRow() pgx.Row {
	if p.left--; p.err != nil {
		return &lastRow{err: p.err}
	}
	return p.BatchResults.QueryRow()
}

// Close lets the next member read.
func (p *portion) Close() error {
	if p == nil || p.over == nil {
		return nil
	}
	for p.left > 0 && p.err == nil {
		_, p.err = p.Exec()
	}
	close(p.over)
	p.over = nil
	return p.err
}
