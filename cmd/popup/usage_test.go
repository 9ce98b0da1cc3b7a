package main_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// typed runs popup … in an empty folder, and returns what it printed and its exit code.
func typed(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	bin, err := build()
	require.NoError(t, err)
	cmd := exec.Command(filepath.Join(bin, "popup"), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(append(os.Environ(), "POPUP_SHOP=http://127.0.0.1:1", "XDG_CONFIG_HOME="+cmd.Dir), env...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return out.String(), problems.String(), cmd.ProcessState.ExitCode()
}

// TRM-30, N5, N6: a mistake on the command line is two lines on stderr, with what may be meant, and exit code 2.
func TestUsageErrorsAreTwoLinesAndExit2_TRM_30(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                           `expected one of`,
		"prodcut list":               `did you mean "product"?`,
		"product lits":               `did you mean "list"?`,
		"product list --limt=3":      `did you mean "--limit"?`,
		"product list --limit=three": `--limit`,
		"product edit":               `expected "<product>"`,
		"product list --json --csv":  `--json and --csv can't be used together`,
		"product add A B --store=S":  `--price is missing`,
		"product add A B --store=S --price=1.999": `EUR has 2 decimals`,
		"check stokc":                `unknown domain "stokc", did you mean "stock"? It must be one of books, bus, catalogue, delivery, mail, orders, payments, points, stock, plans.`,
		"check nonsense":             `unknown domain "nonsense". It must be one of books`,
		"mail lits":                  `did you mean "list"?`,
		"events repaly":              `did you mean "replay"?`,
		"events --type=order.palced": `did you mean "order.placed"?`,
		"events replay send-emial --since=2026-01-31T00:00:00Z": `did you mean "send-email"?`,
		"events drop january":               `must look like 2026-01`,
		"deadletters --function=send-emial": `did you mean "send-email"?`,
		"deadletters redrive":               `give the numbers of dead letters, or --function`,
		"mail list --status=sned":           `must be one of "sending","waiting","sent","failed","unknown","limited" but got "sned", did you mean "sent"?`,
		"user role ada@example.org boss":    `must be one of "customer","staff","admin"`,
		"completion tcsh":                   `must be one of "bash","zsh","fish"`,
		"stock hold CAP":                    `write it like CAP=2`,
		"help prodcut":                      `did you mean "product"?`,
		"version --csv":                     `--csv prints lists only`,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := typed(t, nil, strings.Fields(line)...)
			require.Equal(t, 2, code, stderr)
			require.Empty(t, stdout)
			require.Equal(t, 2, strings.Count(stderr, "\n"), stderr)
			require.Contains(t, stderr, want)
			require.Regexp(t, `(?m)^Run "popup[ a-z]* --help" for usage\.$`, stderr)
		})
	}
}

// TRM-30: what is not the command line's fault is one line on stderr and exit code 1.
func TestOtherErrorsAreOneLineAndExit1_TRM_30(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"check":            "no shop is running in",
		"events":           "no shop is running in",
		"user me":          "not signed in",
		"status":           "reach the shop",
		"trace ORD-1":      "no shop is running in",
		"user reset a@b.c": "no shop is running in",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := typed(t, nil, strings.Fields(line)...)
			require.Equal(t, 1, code)
			require.Empty(t, stdout)
			require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
			require.Contains(t, stderr, want)
		})
	}
}

// TRM-30.
func TestHelpVersionAndCompletion_TRM_30(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"help":               `(?s)^Usage: popup <command>.*product +Show, change.*version`,
		"--help":             `(?s)^Usage: popup <command>.*product +Show, change`,
		"help product add":   `^Usage: popup product add`,
		"product add --help": `^Usage: popup product add`,
		"help product":       `(?s)^Usage: popup product <command>.*product add.*product export`,
		"version":            `^popup \S+ go1\.\S+ \w+/\w+\n$`,
		"--version":          `^popup \S+\n$`,
		"version --json":     `"version": `,
		"completion bash":    `^complete -o default -C "/.*/popup" popup\n$`,
		"completion zsh":     `bashcompinit`,
		"completion fish":    `complete -f -c popup`,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := typed(t, nil, strings.Fields(line)...)
			require.Zero(t, code, stderr)
			require.Empty(t, stderr)
			require.Regexp(t, want, stdout)
			require.Less(t, strings.Count(stdout, "\n"), 50, "help fits on a screen")
		})
	}
}

// TRM-30: bash itself completes commands, flags and names.
func TestShellCompletesWords_TRM_30(t *testing.T) {
	t.Parallel()
	for typedLine, want := range map[string]string{
		"popup ch": "check", "popup product ex": "export", "popup check st": "stock", "popup product list --ta": "--tag",
		"popup events replay send-": "send-email", "popup mail list --status unk": "unknown", "popup completion f": "fish",
	} {
		stdout, _, code := typed(t, []string{"COMP_LINE=" + typedLine}, "")
		require.Zero(t, code)
		require.Contains(t, strings.Fields(stdout), want, typedLine)
	}
	script, _, _ := typed(t, nil, "completion", "bash")
	bash := exec.Command("bash", "-c", script+`complete -p popup`)
	out, err := bash.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "popup")
}
