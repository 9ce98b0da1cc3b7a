package function

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
)

// turn is one handling of an event that wants a transaction.
type turn struct {
	f      *Function
	told   Message
	mayAsk bool                                                        // the event is done only if nobody outside has to be asked
	do     func(tx pgx.Tx) (said []events.Event, done bool, err error) // may be called again after it failed

	said []Message
	done bool

	lead chan struct{} // closed when it is this turn's to take the others along
	gone chan error
}

func (t *turn) run(tx pgx.Tx) error {
	said, done, err := t.do(tx)
	if err != nil {
		return err
	}
	t.done = done
	t.said, err = messages(t.f.Name, t.told.ID, t.told.TraceParent, said)
	return err
}

// opening is what a transaction of turns begins with.
func opening(turns ...*turn) []statement {
	f := turns[0].f
	told, orders := make([]Message, len(turns)), make([]string, 0, len(turns))
	for i, t := range turns {
		if told[i] = t.told; t.told.OrderID != "" {
			orders = append(orders, t.told.OrderID)
		}
	}
	if turns[0].mayAsk {
		return []statement{peek(f, told...)}
	}
	first := []statement{claim(f, told...)}
	if len(turns) > 1 && f.LockFirst != "" {
		sql, args := positional(f.LockFirst, []any{pgx.NamedArgs{"orders": orders}})
		first = append(first, statement{sql: sql, args: args})
	}
	return first
}

// closing is what it ends with: what is done, how to commit, what is said.
func closing(turns ...*turn) (last []statement) {
	var done, said []Message
	for _, t := range turns {
		if said = append(said, t.said...); t.done {
			done = append(done, t.told)
		}
	}
	f, asked := turns[0].f, len(done) < len(turns)
	if turns[0].mayAsk && len(done) > 0 {
		last = append(last, claim(f, done...))
	}
	switch {
	case asked:
		last = append(last, commitOnDisk)
	case f.Durable && len(said) == 0:
		last = append(last, commitSoon)
	}
	if len(said) > 0 {
		last = append(last, say(said, func([]string) {}))
	}
	return last
}

const companyMost = 32 // turns in one transaction

// errAlone says that a company came to nothing. Whose fault it was shows when each of it goes alone.
var errAlone = errors.New("the company came to nothing")

// inCompany takes a turn: those that come while others of the function are under way share the next transaction. Nothing depends
// on that: when it fails, each goes alone.
func (rt *Runtime) inCompany(ctx context.Context, t *turn) ([]Message, error) {
	type kind struct {
		f      *Function
		mayAsk bool
	}
	found, _ := rt.queues.LoadOrStore(kind{t.f, t.mayAsk}, &queue{})
	q := found.(*queue)
	t.lead, t.gone = make(chan struct{}), make(chan error, 1)
	q.join(t)
	select {
	case <-t.lead:
		q.lead(context.WithoutCancel(ctx), rt)
	case err := <-t.gone:
		t.gone <- err
	}
	err := <-t.gone
	if errors.Is(err, errAlone) {
		err = inTurn(ctx, triesInTurn-1, func() error {
			return rt.transact(ctx, opening(t), func(tx *pipeline) ([]statement, error) {
				err := t.run(tx)
				return closing(t), err
			})
		})
	}
	return t.said, err
}

// queue holds the turns of one kind. One of them leads: it goes with whoever has come when it has a connection, while the
// next ones gather. So nobody waits for company, and the more there is to do, the more is done at once.
type queue struct {
	mu      sync.Mutex
	led     bool
	waiting []*turn
}

// lead goes with all who are there, and lets the next one lead.
func (q *queue) lead(ctx context.Context, rt *Runtime) {
	slots := rt.companies()
	slots <- struct{}{}
	conn, err := acquire(ctx, rt.Pool)
	going := q.leave()
	if err == nil {
		err = together(ctx, conn, going)
		conn.Release()
	}
	<-slots
	q.pass()
	for _, t := range going {
		t.gone <- err
	}
}

// companies has a slot for each company that may be under way at once. They take a quarter of the connections: with more of them,
// each would be smaller, and the processors busier with the same.
func (rt *Runtime) companies() chan struct{} {
	rt.once.Do(func() { rt.slots = make(chan struct{}, max(1, rt.Pool.Config().MaxConns/4)) })
	return rt.slots
}

func (q *queue) join(t *turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting = append(q.waiting, t); !q.led {
		q.led = true
		close(t.lead)
	}
}

// leave takes those who go now, the leader among them: never two of one order. Both would read the same version of it, and the
// second write would be refused and roll back what all of them did.
func (q *queue) leave() (going []*turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	orders := map[string]bool{}
	var staying []*turn
	for _, t := range q.waiting {
		if key := t.told.key(); len(going) == companyMost || orders[key] {
			staying = append(staying, t)
		} else {
			going, orders[key] = append(going, t), true
		}
	}
	q.waiting = staying
	return going
}

func (q *queue) pass() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.led = len(q.waiting) > 0; q.led {
		close(q.waiting[0].lead)
	}
}
