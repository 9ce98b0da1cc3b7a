package logging

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// boundedLines is how many lines wait for a slow reader.
const boundedLines = 4096

// Bounded is a Writer that never blocks. Lines wait for a slow reader, such as a pipe that no process reads; when too many wait,
// further ones are dropped. A line reports how many once the reader goes on.
type Bounded struct {
	lines   chan []byte
	dropped atomic.Int64
	written chan struct{} // closed after the last line
}

// NewBounded returns a Bounded that writes to w.
func NewBounded(w io.Writer) *Bounded {
	b := &Bounded{lines: make(chan []byte, boundedLines), written: make(chan struct{})}
	go b.copyTo(w)
	return b
}

// Write takes a line over, or drops it. It reports success in both cases.
func (b *Bounded) Write(line []byte) (int, error) {
	select {
	case b.lines <- append([]byte(nil), line...):
	default:
		b.dropped.Add(1)
	}
	return len(line), nil
}

// Close waits until all lines are written, at most for a time. Nothing may be written afterwards.
func (b *Bounded) Close(most time.Duration) {
	close(b.lines)
	select {
	case <-b.written:
	case <-time.After(most):
	}
}

func (b *Bounded) copyTo(w io.Writer) {
	defer close(b.written)
	for line := range b.lines {
		_, _ = w.Write(line) // a log that cannot be written stops nothing
		if n := b.dropped.Swap(0); n > 0 {
			_, _ = fmt.Fprintf(w, "%d lines of the log were dropped: nothing read them in time\n", n)
		}
	}
}
