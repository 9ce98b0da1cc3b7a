package pgbatch

import (
	"context"
	"sync"
)

// Slots is how many batches run at a time. Batchers that share a database share their slots, too: batches form because
// jobs wait for a slot while more arrive.
type Slots chan struct{}

// NewSlots returns n slots.
func NewSlots(n int) Slots { return make(Slots, n) }

// Batcher runs jobs in batches. A job that finds no batch ahead of it leads the next one: it waits for a slot, takes
// all jobs that have arrived by then and fit together, and runs them, while later ones gather for the next batch. So no
// job waits for others, and batches grow with the load.
type Batcher[J any] struct {
	slots Slots
	fits  func(batch []J, next J) bool
	run   func(ctx context.Context, batch []J) (after func())

	mu      sync.Mutex
	busy    bool
	waiting []*waiter[J]
}

// waiter is a job that waits for its batch.
type waiter[J any] struct {
	job  J
	lead chan struct{} // closed when it is to lead the next batch
	done chan struct{} // closed when its batch has run
}

// NewBatcher returns a batcher. A job joins a batch if fits reports true. run runs a batch in a slot; what it returns
// runs after the slot is free and before the callers of Do return.
func NewBatcher[J any](slots Slots, fits func([]J, J) bool, run func(context.Context, []J) (after func())) *Batcher[J] {
	return &Batcher[J]{slots: slots, fits: fits, run: run}
}

// Do runs a job in a batch and returns when the batch is done. The context of the job that leads the batch is used for
// all of it, without its cancellation.
func (b *Batcher[J]) Do(ctx context.Context, job J) {
	w := &waiter[J]{job: job, lead: make(chan struct{}), done: make(chan struct{})}
	b.join(w)
	select {
	case <-w.lead:
		b.runNext(context.WithoutCancel(ctx))
	case <-w.done:
	}
}

// Waiting returns how many jobs wait for the batch that runs.
func (b *Batcher[J]) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

func (b *Batcher[J]) join(w *waiter[J]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, w)
	if !b.busy {
		b.busy = true
		close(w.lead)
	}
}

func (b *Batcher[J]) runNext(ctx context.Context) {
	b.slots <- struct{}{}
	members := b.take()
	jobs := make([]J, len(members))
	for i, m := range members {
		jobs[i] = m.job
	}
	after := b.run(ctx, jobs)
	<-b.slots
	b.handOver()
	after()
	for _, m := range members {
		close(m.done)
	}
}

// take removes the jobs of the next batch from those that wait, the leader's first.
func (b *Batcher[J]) take() (members []*waiter[J]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var jobs []J
	var staying []*waiter[J]
	for _, w := range b.waiting {
		if len(jobs) > 0 && !b.fits(jobs, w.job) {
			staying = append(staying, w)
			continue
		}
		jobs, members = append(jobs, w.job), append(members, w)
	}
	b.waiting = staying
	return members
}

// handOver lets the next job lead.
func (b *Batcher[J]) handOver() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy = len(b.waiting) > 0
	if b.busy {
		close(b.waiting[0].lead)
	}
}
