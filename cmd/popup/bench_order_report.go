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
	reportMachine(&w, loads)
	for _, l := range loads {
		if l.listed != "" {
			fmt.Fprintf(&w, "\nThe statements of an order as pg_stat_statements has them, %d orders in the shop, %d callers, last round; without BEGIN, COMMIT and SET:\n\n%s", l.existing, l.parallel, l.listed)
		}
	}
	return w.String()
}

func reportCounts(w *strings.Builder, loads []load) {
	w.WriteString(`For each order:

| orders in the shop | callers | orders | failed | statements | round trips | commits | rollbacks | WAL bytes | publishes |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`)
	for _, l := range loads {
		confirmed, failed := l.orders()
		u := l.perOrder()
		rollbacks := float64(l.rollbacks) / float64(max(confirmed, 1))
		fmt.Fprintf(w, "| %d | %d | %d | %d | %s | %s | %.2f | %.3f | %.0f | %s |\n", l.existing, l.parallel, confirmed, failed,
			counted(u[statements]), counted(u[roundTrips]), u[commits], rollbacks, u[walBytes], counted(u[publishes]))
	}
	w.WriteString("\nStatements include BEGIN and COMMIT; commits are those of transactions that write.\n")
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
are a step, a change of state and an outbox row each; %d clients, prepared statements. The median, and from the least to the most:

| orders in the shop | callers | CPU of shop and Postgres / CPU of the reference's Postgres | confirmed/s of the reference's orders/s |
| --- | --- | --- | --- |
`, referenceClients)
	for _, l := range loads {
		cost, leastCost, mostCost := l.median(round.costRatio)
		rate, leastRate, mostRate := l.median(round.rateRatio)
		fmt.Fprintf(w, "| %d | %d | %.1f (%.1f–%.1f) | %.0f %% (%.0f–%.0f) |\n", l.existing, l.parallel,
			cost, leastCost, mostCost, 100*rate, 100*leastRate, 100*mostRate)
	}
}

func reportMachine(w *strings.Builder, loads []load) {
	w.WriteString(`
On this machine, beside everything else that it did; CPU in milliseconds for each order:

| orders in the shop | callers | confirmed/s | p50 | p99 | CPU | shop | Postgres' backends | WAL writer | its others | callers' | reference/s | its CPU |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`)
	for _, l := range loads {
		all, u := l.all(), l.perOrder()
		rate, _, _ := l.median(func(r round) float64 { return r.reference.rate })
		cpu, _, _ := l.median(func(r round) float64 { return r.reference.cpu })
		fmt.Fprintf(w, "| %d | %d | %.0f | %.1f ms | %.1f ms | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.0f | %.2f |\n",
			l.existing, l.parallel, all.rate(), ms(all.at(50)), ms(all.at(99)), u[shopCPU]+u.database(), u[shopCPU], u[backendCPU], u[walWriterCPU],
			u[otherCPU], u[clientCPU], rate, cpu)
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
