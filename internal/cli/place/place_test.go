package place_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/cli/place"
)

// TRM-33, N7: the shop of the folder is found while it runs, and the file of a killed one is no shop.
func TestTheRunningShopOfAFolderIsFound_TRM_33(t *testing.T) {
	t.Parallel()
	folder := place.Folder{Dir: t.TempDir()}
	running := func() string {
		url, err := folder.Running()
		require.NoError(t, err)
		return url
	}
	require.Empty(t, running())
	require.NoError(t, os.WriteFile(filepath.Join(folder.Dir, "running.json"), []byte(`{"url": "http://127.0.0.1:9"}`), 0o600))
	require.Empty(t, running(), "a shop was killed here")
	end, err := folder.Announce("http://127.0.0.1:8091")
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:8091", running())
	require.Equal(t, "http://127.0.0.1:8091", running(), "looking does not change it")
	_, err = folder.Announce("http://127.0.0.1:8092")
	require.ErrorContains(t, err, "another shop")
	end()
	require.Empty(t, running())
}
