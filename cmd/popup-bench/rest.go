package main

import (
	"context"
	"fmt"
	"time"
)

const (
	ordersBeforeRest = 2000
	restBefore       = time.Minute
)

// rest measures a shop of its own that has taken orders and has none to take any more. The connections of the bench are
// closed while it rests.
func (c *benchOrder) rest(ctx context.Context) (string, error) {
	program, err := popupProgram()
	if err != nil {
		return "", err
	}
	b, err := c.open(ctx, program)
	if err != nil {
		return "", err
	}
	defer b.close()
	if err := b.grow(ctx, ordersBeforeRest); err != nil {
		return "", err
	}
	b.pool.Reset()
	if err := pause(ctx, restBefore); err != nil {
		return "", err
	}
	var before, after usage
	if err := b.readCPU(&before); err != nil {
		return "", err
	}
	if err := pause(ctx, time.Duration(c.Idle)*time.Second); err != nil {
		return "", err
	}
	if err := b.readCPU(&after); err != nil {
		return "", err
	}
	used := after.minus(before).per(c.Idle)
	shop, database, err := b.memory()
	if err != nil {
		return "", err
	}
	ofCore := func(millisecondsInASecond float64) float64 { return millisecondsInASecond / 10 }
	return fmt.Sprintf(`
At rest, for %d seconds that begin a minute after the last of %d orders:

| | CPU, %% of a core | memory (PSS) |
| --- | --- | --- |
| shop | %.2f | %.0f MiB |
| Postgres | %.2f | %.0f MiB |
| both | %.2f | %.0f MiB |
`, c.Idle, ordersBeforeRest, ofCore(used[shopCPU]), shop, ofCore(used.database()), database,
		ofCore(used[shopCPU]+used.database()), shop+database), nil
}

// memory returns the memory of the shop and of its Postgres, in MiB.
func (b *bench) memory() (shop, database float64, err error) {
	own, err := pss(b.shop.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	processes, err := b.data.Processes()
	if err != nil {
		return 0, 0, err
	}
	var all int
	for _, p := range processes {
		kilobytes, err := pss(p.PID)
		if err != nil {
			return 0, 0, err
		}
		all += kilobytes
	}
	return float64(own) / 1024, float64(all) / 1024, nil
}
