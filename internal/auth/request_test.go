package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/auth"
)

// API-08.
func TestAddressesOfOneSubscriberAreOneNetwork(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"203.0.113.7":               "203.0.113.7",
		"::ffff:203.0.113.7":        "203.0.113.7",
		"2001:db8:1:2::1":           "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff:0:0:1":   "2001:db8:1:2::/64",
		"2001:db8:1:3::1":           "2001:db8:1:3::/64",
		"fe80::1%eth0":              "fe80::/64",
		"::1":                       "::/64",
		"":                          "",
		"a name":                    "a name",
		"2001:DB8:0001:0002::AbCd ": "2001:DB8:0001:0002::AbCd ",
	} {
		require.Equal(t, want, auth.NetworkOf(source), source)
	}
}
