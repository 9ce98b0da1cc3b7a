package observability_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// rule is an alert.
type rule struct {
	Alert string `json:"alert"`
	Expr  string `json:"expr"`
}

func readRules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []rule `json:"rules"`
		} `json:"groups"`
	}
	readYAML(t, "rules.yml", &file)
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	require.NotEmpty(t, all)
	return all
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into))
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("promtool", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// OPS-45: provoked, each alert fires and ends.
func TestAlertsFireAndEnd(t *testing.T) {
	t.Parallel()
	promtool(t, "check", "rules", "rules.yml")
	promtool(t, "test", "rules", "rules_test.yml")
	var file struct {
		Tests []struct {
			Cases []struct {
				Alert  string `json:"alertname"`
				Alerts []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		} `json:"tests"`
	}
	readYAML(t, "rules_test.yml", &file)
	states := map[string][]bool{} // whether it fires, by alert, in the order of the test
	for _, test := range file.Tests {
		for _, c := range test.Cases {
			states[c.Alert] = append(states[c.Alert], len(c.Alerts) > 0)
		}
	}
	for _, r := range readRules(t) {
		require.Subset(t, states[r.Alert], []bool{true, false}, r.Alert)
		fires := lastTrue(states[r.Alert])
		require.Less(t, fires, len(states[r.Alert])-1, "%s ends", r.Alert)
	}
}

func lastTrue(states []bool) (last int) {
	for i, fires := range states {
		if fires {
			last = i
		}
	}
	return last
}

// OPS-45: the page explains what each alert means and what to do.
func TestThePageExplainsEveryAlert(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/observability.md")
	require.NoError(t, err)
	for _, r := range readRules(t) {
		require.Contains(t, string(page), "| `"+r.Alert+"` |")
	}
}
