package local_test

import (
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
)

// requireOrder places an order, which must come to its end.
func (s *shop) requireOrder(sku string) {
	s.t.Helper()
	before := s.count(`SELECT count(*) FROM orders.orders WHERE status = 'completed'`)
	require.Contains(s.t, []int{http.StatusCreated, http.StatusAccepted}, s.place(orderOf(1, sku)).Code)
	s.settle(90 * time.Second)
	s.check()
	require.Equal(s.t, before+1, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'completed'`))
}

// C2: a broker whose folder is deleted while it runs is not ready, and is opened again. No event is lost.
func TestBrokerWithoutItsFolderIsOpenedAgain(t *testing.T) {
	t.Parallel()
	var folder string
	s := open(t, func(o *local.Options, _ *functions.Settings) { folder = filepath.Join(o.Dir, "broker") })
	s.requireOrder("CAP-NAVY")
	require.NoError(t, s.Engine.Ready(t.Context()))
	require.NoError(t, os.RemoveAll(folder))
	require.Eventually(t, func() bool { return s.Engine.Ready(t.Context()) == nil }, 30*time.Second, 100*time.Millisecond)
	require.DirExists(t, filepath.Join(folder, "jetstream"))
	s.requireOrder("CAP-NAVY")
}

// C3: files that cannot be opened are moved aside, and the shop starts.
func TestDamagedBrokerDoesNotStopTheStart(t *testing.T) {
	t.Parallel()
	var folder string
	s := open(t, func(o *local.Options, _ *functions.Settings) { folder = filepath.Join(o.Dir, "broker") })
	s.requireOrder("CAP-NAVY")
	for _, share := range []float64{0.005, 0.2, 1} {
		s.Engine.StopBroker()
		damage(t, folder, share)
		require.NoError(t, s.Engine.StartBroker(t.Context()), share)
		s.requireOrder("CAP-NAVY")
	}
}

// OPS-59: a shop starts with another delivery profile than before.
func TestEveryProfileStartsAfterEveryOther(t *testing.T) {
	t.Parallel()
	s := open(t)
	profiles := jetstream.Profiles()
	for i := range 2 * len(profiles) {
		s.Engine.StopBroker()
		s.Engine.Profile = profiles[(i*(len(profiles)-1))%len(profiles)]
		require.NoError(t, s.Engine.StartBroker(t.Context()), s.Engine.Profile)
	}
}

// damage replaces a share of the bytes of all files below a folder.
func damage(t *testing.T, folder string, share float64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i := range content {
			if rand.Float64() < share {
				content[i] = byte(rand.Int())
			}
		}
		return os.WriteFile(path, content, 0o600)
	}))
}

// C2: a broker on a full disk is opened again elsewhere. It needs a file system of its own.
func TestBrokerOnAFullDiskIsOpenedElsewhere(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=4m"); err != nil {
		t.Skip("this machine mounts nothing: ", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(small, syscall.MNT_DETACH)) })
	s := open(t, func(o *local.Options, _ *functions.Settings) {
		require.NoError(t, os.MkdirAll(o.Dir, 0o755))
		require.NoError(t, os.Symlink(small, filepath.Join(o.Dir, "broker")))
	})
	s.requireOrder("CAP-NAVY")
	filler, err := os.Create(filepath.Join(small, "filler"))
	require.NoError(t, err)
	for {
		if _, err := filler.Write(make([]byte, 4096)); err != nil {
			break
		}
	}
	s.requireOrder("CAP-NAVY")
	require.NoError(t, s.Engine.Ready(t.Context()))
}
