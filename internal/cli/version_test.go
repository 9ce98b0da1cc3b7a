package cli

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersionIsTheMostExactThatIsKnown_TRM_30(t *testing.T) {
	t.Parallel()
	built := func(module string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: module}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	for want, got := range map[string]string{
		"v1.2.3":       versionOf("v1.2.3", built("v0.0.0")),
		"v1.2.4":       versionOf("", built("v1.2.4", revision)),
		"0123456789ab": versionOf("", built("(devel)", revision)),
		"development":  versionOf("", built("(devel)")),
		"v1.2.5":       versionOf("v1.2.5", nil),
	} {
		require.Equal(t, want, got)
	}
	require.Equal(t, "development", versionOf("", nil))
}
