package main

import (
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

func TestEveryBenchCanBeCalled(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{}, options()...)
	require.NoError(t, err)
	for _, bench := range parser.Model.Leaves(true) {
		_, err := parser.Parse([]string{bench.Name})
		require.NoError(t, err, bench.Name)
	}
}
