package password_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/popup-shop/popup/internal/password"
)

const good = "correct horse battery"

func TestAHashIsArgon2idAndMatchesItsPasswordOnly(t *testing.T) {
	t.Parallel()
	hash, err := password.Hash(t.Context(), good)
	require.NoError(t, err)
	require.Regexp(t, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, hash)
	again, err := password.Hash(t.Context(), good)
	require.NoError(t, err)
	require.NotEqual(t, hash, again, "salted")
	for shown, want := range map[string]bool{good: true, "correct horse batterx": false, "": false, good + " ": false} {
		right, old, err := password.Verify(t.Context(), hash, shown)
		require.NoError(t, err)
		require.Equal(t, []bool{want, false}, []bool{right, old}, shown)
	}
}

func TestHashesOfBeforeAreAcceptedAndCalledOld(t *testing.T) {
	t.Parallel()
	imported, err := bcrypt.GenerateFromPassword([]byte(good), bcrypt.MinCost)
	require.NoError(t, err)
	cheap := "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$" // made below
	for _, hash := range []string{string(imported), strings.Replace(string(imported), "$2a$", "$2y$", 1)} {
		right, old, err := password.Verify(t.Context(), hash, good)
		require.NoError(t, err)
		require.Equal(t, []bool{true, true}, []bool{right, old})
		right, _, err = password.Verify(t.Context(), hash, "another one")
		require.NoError(t, err)
		require.False(t, right)
	}
	_, old, err := password.Verify(t.Context(), cheap+"AAAAAAAAAAAAAAAAAAAAAA", good)
	require.NoError(t, err)
	require.True(t, old, "of another cost")
}

func TestAnEmptyHashNeverMatches(t *testing.T) {
	t.Parallel()
	right, _, err := password.Verify(t.Context(), "", good)
	require.NoError(t, err)
	require.False(t, right)
}

func TestAHashOfNoKnownFormIsAnError(t *testing.T) {
	t.Parallel()
	for _, hash := range []string{"plain", "$argon2i$v=19$m=1,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=19456,t=0,p=1$AAAA$AAAA", "$argon2id$v=19$m=19456,t=2,p=1$!$AAAA", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$"} {
		_, _, err := password.Verify(t.Context(), hash, good)
		require.Error(t, err, hash)
	}
}

func TestACancelledContextEndsHashing(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	failed := 0
	for range 100 { // where there is room and the caller is gone too, either may come first
		if _, err := password.Hash(gone, good); err != nil {
			failed++
		}
	}
	require.Positive(t, failed)
}

func TestPasswordsThatAreTriedFirstAreRefused(t *testing.T) {
	t.Parallel()
	for _, easy := range []string{
		"password", "password1", "Password1!", "P@ssw0rd", "passw0rd123", "12345678", "qwertyuiop", "QWERTZUIOP", "iloveyou", "letmein1",
		"aaaaaaaa", "abababab", "abcdefgh", "hgfedcba", "98765432", "dragon123", "welcome2026!", "asdfasdf", "qweqweqwe", "Summer2026", "trustno1", "1qaz2wsx",
	} {
		require.NotEmpty(t, password.Weakness(easy), easy)
	}
	for _, fine := range []string{good, "zwölf Boxkämpfer", "kT9#mq2Lx", "正しい馬の電池のホチキス", strings.Repeat("ab c", 32)} {
		require.Empty(t, password.Weakness(fine), fine)
	}
	for _, length := range []string{"", "kT9#mq2", strings.Repeat("ab c", 32) + "d"} {
		require.NotEmpty(t, password.Weakness(length), length)
	}
	require.NotEmpty(t, password.Weakness("ada@example.test", "Ada@Example.test"))
}

func TestHashesTakeHalfOfTheMemoryAtMost(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, c := range []struct {
		limit      int64
		processors int
		want       int
	}{
		{math.MaxInt64, 16, 4}, {math.MaxInt64, 2, 2}, {104 * mib, 16, 2}, {104 * mib, 1, 1}, {40 * mib, 16, 1}, {10 * mib, 16, 1}, {1024 * mib, 16, 4},
	} {
		require.Equal(t, c.want, password.RoomFor(c.limit, c.processors), c)
	}
}

// ACC-39: "é" is one character on one system and two on another. A hash of before, of the password as it was typed, goes on.
func TestPasswordsOfOneFormMatch(t *testing.T) {
	t.Parallel()
	composed, decomposed := "caf\u00e9 au lait", "cafe\u0301 au lait"
	hash, err := password.Hash(t.Context(), decomposed)
	require.NoError(t, err)
	for _, typed := range []string{composed, decomposed} {
		right, old, err := password.Verify(t.Context(), hash, typed)
		require.NoError(t, err)
		require.True(t, right)
		require.False(t, old)
	}
	asTyped, err := bcrypt.GenerateFromPassword([]byte(decomposed), bcrypt.MinCost)
	require.NoError(t, err)
	right, old, err := password.Verify(t.Context(), string(asTyped), decomposed)
	require.NoError(t, err)
	require.True(t, right)
	require.True(t, old, "it is replaced by one that matches both")
	right, _, err = password.Verify(t.Context(), hash, "cafe au lait")
	require.NoError(t, err)
	require.False(t, right)
}
