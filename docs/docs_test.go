// Package docs_test holds the pages to what the code says.
package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kelseyhightower/envconfig"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
)

const readme = "../README.md"

var link = regexp.MustCompile(`(?:\]\(|src=")([^)"\s]+)`)

func TestEveryRelativeLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	for path, text := range pages(t) {
		for _, found := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			to := path
			if target != "" {
				to = filepath.Join(filepath.Dir(path), target)
			}
			_, err := os.Stat(to)
			require.NoError(t, err, "%s links to %s", path, found[1])
			if anchor != "" {
				require.Contains(t, anchors(read(t, to)), anchor, "%s links to %s", path, found[1])
			}
		}
	}
}

var (
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the names that a page's headings have in links.
func anchors(text string) (names []string) {
	for _, found := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		names = append(names, strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-"))
	}
	return names
}

var (
	fence  = regexp.MustCompile("(?ms)^```.*?^```")
	code   = regexp.MustCompile("(?ms)^```.*?^```|`[^`\n]+`")
	making = regexp.MustCompile(`\bmake ([a-z][a-z-]*)`)
	target = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

func TestEveryMakeThatIsNamedIsATarget(t *testing.T) {
	t.Parallel()
	var targets []string
	for _, found := range target.FindAllStringSubmatch(read(t, "../Makefile"), -1) {
		targets = append(targets, found[1])
	}
	for path, text := range pages(t) {
		for _, part := range code.FindAllString(text, -1) {
			for _, found := range making.FindAllStringSubmatch(part, -1) {
				require.Contains(t, targets, found[1], "%s: make %s", path, found[1])
			}
		}
	}
}

// TestConfigurationListsEverySettingAndNoOther compares the page with what popup env prints.
func TestConfigurationListsEverySettingAndNoOther(t *testing.T) {
	t.Parallel()
	const row = "{{range .}}| `{{usage_key .}}` | {{with usage_default .}}`{{.}}`{{end}} | {{usage_description .}} |\n{{end}}"
	var want strings.Builder
	for _, settings := range []any{&config.Process{}, &config.Database{}, &functions.Settings{}} {
		require.NoError(t, envconfig.Usagef("", settings, &want, row))
	}
	var listed []string
	for line := range strings.Lines(read(t, "configuration.md")) {
		if strings.HasPrefix(line, "| `") {
			listed = append(listed, line)
		}
	}
	var rows []string
	for row := range strings.Lines(strings.ReplaceAll(want.String(), "|  |", "| |")) {
		if !slices.Contains(rows, row) { // several parts read PRODUCTION
			rows = append(rows, row)
		}
	}
	require.Equal(t, rows, listed)
}

func TestEveryDecisionHasAContextAndConsequences(t *testing.T) {
	t.Parallel()
	decisions, err := filepath.Glob("adr/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, decisions)
	for i, path := range decisions {
		number := fmt.Sprintf("%04d", i+1)
		require.Regexp(t, `^adr/`+number+`-[a-z0-9-]+\.md$`, path, "numbers run from 1 without a gap")
		var headings []string
		for _, found := range heading.FindAllStringSubmatch(read(t, path), -1) {
			headings = append(headings, found[1])
		}
		require.Len(t, headings, 4, path)
		require.Regexp(t, `^`+number+` `, headings[0], path)
		require.Equal(t, []string{"Context", "Decision", "Consequences"}, headings[1:], path)
	}
}

// pages are the texts of the readme and of all pages below docs, by their paths.
func pages(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{readme: read(t, readme)}
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".md") {
			found[path] = read(t, path)
		}
		return err
	}))
	return found
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}
