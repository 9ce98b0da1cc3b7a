package logging_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/logging"
)

// A log into a pipe that no process reads stops no program.
func TestLogThatIsNotReadBlocksNothing(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	log := logging.NewBounded(w)
	line := strings.Repeat("x", 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20_000 {
			_, _ = fmt.Fprintf(log, "%d %s\n", i, line)
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("writing blocks")
	}
	read := bufio.NewScanner(r)
	for i := 0; read.Scan(); i++ {
		if strings.HasSuffix(read.Text(), "lines of the log were dropped: nothing read them in time") {
			return
		}
		require.Equal(t, fmt.Sprintf("%d %s", i, line), read.Text(), "lines are whole and in order")
	}
	t.Fatal("the loss is not reported")
}

func TestLogIsWrittenToItsEnd(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	log := logging.NewBounded(&text)
	for i := range 1000 {
		_, _ = fmt.Fprintln(log, i)
	}
	log.Close(10 * time.Second)
	require.Equal(t, 1000, strings.Count(text.String(), "\n"))
}
