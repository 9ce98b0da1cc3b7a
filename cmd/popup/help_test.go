package main

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

var documentedFlag = regexp.MustCompile("(?m)^\\| `--([a-z-]+)")

// The table in docs/running.md has every flag of popup run, and no other.
func TestTheFlagsOfRunAreDocumented(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{}, vars(), kong.Vars{"version": ""})
	require.NoError(t, err)
	at := slices.IndexFunc(parser.Model.Children, func(n *kong.Node) bool { return n.Name == "run" })
	var flags []string
	for _, flag := range parser.Model.Children[at].Flags {
		flags = append(flags, flag.Name)
	}
	page, err := os.ReadFile("../../docs/running.md")
	require.NoError(t, err)
	var documented []string
	for _, match := range documentedFlag.FindAllStringSubmatch(string(page), -1) {
		documented = append(documented, match[1])
	}
	require.ElementsMatch(t, flags, documented)
}
