package infra

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// runPopup runs popup.sh against a kubectl that reports these conditions of the Job and this state of its pod, and
// returns its output, its exit status, and what was asked of kubectl.
func runPopup(t *testing.T, conditions, waiting string) (out string, status int, calls string) {
	t.Helper()
	dir := t.TempDir()
	kubectl := `#!/bin/sh
echo "$*" >>"$STUB/calls"
case "$*" in
*"get job"*) printf '%s' "$CONDITIONS" ;;
*"get pod"*) printf '%s' "$WAITING" ;;
*logs*) echo "the output of popup" ;;
*patch* | *apply*) cat ;;
esac
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kubectl"), []byte(kubectl), 0o755))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, "sh", "../tools/cluster/popup.sh", "check")
	command.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "STUB="+dir, "CONDITIONS="+conditions,
		"WAITING="+waiting, "TIMEOUT=2")
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil {
		require.True(t, errors.As(err, &exit), "%v", err)
	}
	all, err := os.ReadFile(filepath.Join(dir, "calls"))
	require.NoError(t, err)
	return string(output), command.ProcessState.ExitCode(), string(all)
}

func TestACommandInTheClusterEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		conditions, waiting, output string
		status                      int
	}{
		"complete":           {"SuccessCriteriaMet Complete ", "", "the output of popup", 0},
		"failed":             {"FailureTarget Failed ", "", "the output of popup", 1},
		"no image":           {"", "ErrImagePull: not found\n", "can't start. ErrImagePull: not found", 1},
		"no image, for long": {"", "ImagePullBackOff: Back-off\n", "can't start. ImagePullBackOff", 1},
		"no secret":          {"", "CreateContainerConfigError: secret not found\n", "secret not found", 1},
		"neither":            {"", "ContainerCreating: \n", "has not ended in 2 s", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			output, status, calls := runPopup(t, c.conditions, c.waiting)
			require.Contains(t, output, c.output)
			require.Equal(t, c.status, status)
			require.Contains(t, calls, "delete job", "it leaves no Job behind")
		})
	}
}

// A Broker is ready only with its dead-letter sink, and that is a function: who waits for it before waits for ever.
func TestADeploymentWaitsForTheBrokerAfterItsFunctions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../tools/cluster/deploy.sh")
	require.NoError(t, err)
	before, after, ok := strings.Cut(string(text), "part 1 | kubectl apply")
	require.True(t, ok)
	require.NotContains(t, before, "condition=Ready broker")
	require.Contains(t, before, "condition=Addressable broker")
	require.Contains(t, after, "condition=Ready broker")
}
