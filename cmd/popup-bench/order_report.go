package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// report returns the result as text: what does not depend on the machine comes first.
func (c *benchOrder) report(loads []load) string {
	var w strings.Builder
	fmt.Fprintf(&w, `# Performance

Measured by `+"`popup bench order --shipping %s`"+` on %s: %d cores, %s/%s, %s. Postgres with fsync on, and the callers, on the same machine.
Each caller posts an order of one line and waits until it is confirmed; %d SKUs. What an order costs is counted until the last event of
the last order is handled, mails included. Load and reference alternate, %d times %d seconds each.

`, c.Shipping, time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), benchSKUs, c.Rounds, c.Seconds)
	reportCounts(&w, loads)
	reportRatios(&w, loads)
	if c.Against != "" {
		reportPairs(&w, loads)
	}
	reportMachine(&w, loads)
	for _, l := range loads {
		if l.listed != "" {
			fmt.Fprintf(&w, "\n%s, %d callers: the statements of an order in the last round, as pg_stat_statements has them, without BEGIN, COMMIT and SET:\n\n%s",
				l.shop(), l.parallel, l.listed)
		}
	}
	return w.String()
}

// shop returns which shop was measured.
func (l load) shop() string {
	if l.existing == 0 {
		return l.version
	}
	return fmt.Sprintf("%s, %d orders", l.version, l.existing)
}

func reportCounts(w *strings.Builder, loads []load) {
	w.WriteString(`For each order:

| shop | callers | orders | failed | statements | round trips | commits | rollbacks | WAL bytes | publishes |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`)
	for _, l := range loads {
		confirmed, failed := l.orders()
		u := l.perOrder()
		rollbacks := float64(l.rollbacks) / float64(max(confirmed, 1))
		fmt.Fprintf(w, "| %s | %d | %d | %d | %s | %s | %.2f | %.3f | %.0f | %s |\n", l.shop(), l.parallel, confirmed, failed,
			counted(u[statements]), counted(u[roundTrips]), u[commits], rollbacks, u[walBytes], counted(u[publishes]))
	}
	w.WriteString("\nStatements include BEGIN and COMMIT; commits are those of transactions that write.\n")
	for _, l := range loads {
		for _, r := range l.rounds {
			if r.err != nil {
				fmt.Fprintf(w, "\n%s, %d callers, failed: %v\n", l.shop(), l.parallel, r.err)
			}
		}
	}
}

// counted returns a number, or a dash for what another version of the shop does not count.
func counted(n float64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", n)
}

func reportRatios(w *strings.Builder, loads []load) {
	fmt.Fprintf(w, `
Beside the reference: one fixed pgbench script, in which an order with its line, an outbox row and a stock update are one commit and five more
are a step, a change of state and an outbox row each; %d clients, prepared statements. The median of the rounds, and from the least to the most:

| shop | callers | CPU of shop and Postgres / CPU of the reference's Postgres | confirmed/s, of the reference's orders/s |
| --- | --- | --- | --- |
`, referenceClients)
	for _, l := range loads {
		fmt.Fprintf(w, "| %s | %d | %s | %s |\n", l.shop(), l.parallel, times(l.spread(round.costRatio)),
			percent(l.spread(round.rateRatio)))
	}
}

// reportPairs compares the two versions, which come one after the other, round by round.
func reportPairs(w *strings.Builder, loads []load) {
	fmt.Fprintf(w, `
%s as a part of %s, round by round:

| callers | confirmed/s | p50 | CPU of shop and Postgres |
| --- | --- | --- | --- |
`, loads[0].version, loads[1].version)
	for i := 0; i < len(loads); i += 2 {
		this, other := loads[i], loads[i+1]
		part := func(of func(round) float64) string { return percent(this.partOf(other, of)) }
		fmt.Fprintf(w, "| %d | %s | %s | %s |\n", this.parallel, part(round.rate), part(round.p50), part(round.cost))
	}
}

func (r round) p50() float64 { return ms(r.at(50)) }

func reportMachine(w *strings.Builder, loads []load) {
	w.WriteString(`
On this machine, beside everything else that it did; CPU in milliseconds for each order:

| shop | callers | confirmed/s | p50 | p99 | CPU | shop's | Postgres' backends | its WAL writer | its others | callers' | reference/s | its CPU | cores taken by others |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`)
	for _, l := range loads {
		all, u := l.all(), l.perOrder()
		rate := l.spread(func(r round) float64 { return r.reference.rate })
		cpu := l.spread(func(r round) float64 { return r.reference.cpu })
		fmt.Fprintf(w, "| %s | %d | %.0f | %.1f ms | %.1f ms | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.0f | %.2f | %.1f |\n",
			l.shop(), l.parallel, all.rate(), ms(all.at(50)), ms(all.at(99)), u[shopCPU]+u.database(), u[shopCPU], u[backendCPU], u[walWriterCPU],
			u[otherCPU], u[clientCPU], rate.median, cpu.median, u.others())
	}
}

func times(s spread) string { return fmt.Sprintf("%.1f (%.1f–%.1f)", s.median, s.least, s.most) }

func percent(s spread) string {
	return fmt.Sprintf("%.0f %% (%.0f–%.0f)", 100*s.median, 100*s.least, 100*s.most)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
