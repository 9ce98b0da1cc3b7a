package main

import "slices"

// load is what came of the rounds of one number of callers in one shop.
type load struct {
	version   string
	existing  int // orders in the shop before
	parallel  int
	rounds    []round
	rollbacks int64
	listed    string // the statements
}

// round is one closed loop, in which each caller places an order and waits until it is confirmed before the next, and
// the reference that follows it.
type round struct {
	looped
	used      usage
	reference reference
}

// orders returns how many orders were confirmed, and how many were not.
func (l load) orders() (confirmed, failed int) {
	for _, r := range l.rounds {
		confirmed += len(r.times)
		failed += r.failed
	}
	return confirmed, failed
}

// perOrder returns what an order used, in all rounds.
func (l load) perOrder() usage {
	var all usage
	for _, r := range l.rounds {
		all = all.plus(r.used)
	}
	confirmed, _ := l.orders()
	return all.per(max(confirmed, 1))
}

// all returns the calls of all rounds as of one loop.
func (l load) all() (all looped) {
	for _, r := range l.rounds {
		all.times = append(all.times, r.times...)
		all.took += r.took
	}
	slices.Sort(all.times)
	return all
}

// spread is a figure of each round: the median, the smallest and the largest.
type spread struct{ median, least, most float64 }

// spread returns how a figure of the rounds is spread.
func (l load) spread(of func(round) float64) spread {
	figures := make([]float64, len(l.rounds))
	for i, r := range l.rounds {
		figures[i] = of(r)
	}
	return spreadOf(figures)
}

// partOf returns how a figure, divided by that of the same round of another load, is spread.
func (l load) partOf(other load, of func(round) float64) spread {
	figures := make([]float64, len(l.rounds))
	for i, r := range l.rounds {
		figures[i] = of(r) / of(other.rounds[i])
	}
	return spreadOf(figures)
}

func spreadOf(figures []float64) spread {
	slices.Sort(figures)
	n := len(figures)
	return spread{(figures[(n-1)/2] + figures[n/2]) / 2, figures[0], figures[n-1]}
}

// cost returns the CPU of shop and Postgres for an order, in milliseconds.
func (r round) cost() float64 {
	u := r.used.per(max(len(r.times), 1))
	return u[shopCPU] + u.database()
}

// costRatio returns the cost as a multiple of Postgres' CPU for an order of the reference.
func (r round) costRatio() float64 { return r.cost() / r.reference.cpu }

// rateRatio returns the orders confirmed in a second, as a fraction of those of the reference.
func (r round) rateRatio() float64 { return r.rate() / r.reference.rate }
