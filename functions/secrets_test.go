package functions_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// secrets are the forms of keys, tokens and passwords.
var secrets = map[string]*regexp.Regexp{
	"a private key":            regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}`),
	"a JSON Web Token":         regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{20,}`),
	"a key of access tokens":   regexp.MustCompile(`(?i)TOKEN_KEYS["']?\s*[=:]\s*["']?[A-Za-z0-9_-]{40,}`),
	"a key of a cloud":         regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`),
	"a key of a card provider": regexp.MustCompile(`\b[sr]k_(live|test)_[A-Za-z0-9]{16,}`),
	"a webhook's secret":       regexp.MustCompile(`\bwhsec_[A-Za-z0-9]{16,}`),
	"a token of a code host":   regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{30,}`),
	"a password in an address": regexp.MustCompile(`(postgres(ql)?|smtps?|nats)://[A-Za-z0-9_-]+:[A-Za-z0-9_-]{12,}@`),
	"a password's hash":        regexp.MustCompile(`\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}`),
}

// opensNothing lists files with a text that looks like a secret: the password hash that a login of an unknown user is
// checked against.
var opensNothing = map[string]string{"internal/password/password.go": "a password's hash"}

// ACC-10
func TestNoSecretIsInTheRepository(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	list, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z").Output()
	require.NoError(t, err, "the test reads the files of the repository only")
	files := strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00")
	require.Greater(t, len(files), 300)
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(root, file))
		if os.IsNotExist(err) { // deleted, and not committed yet
			continue
		}
		require.NoError(t, err)
		for what, looks := range secrets {
			if found := looks.Find(text); found != nil && opensNothing[file] != what {
				t.Errorf("%s holds %s: %.24s…", file, what, found)
			}
		}
	}
}

func TestSecretFormsMatchRealSecrets(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for what, example := range map[string]string{
		"a private key":          string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
		"a JSON Web Token":       shoptest.Bearer(t, token.Claims{ID: "x", Role: token.Customer}),
		"a key of access tokens": "TOKEN_KEYS=" + shoptest.PublicKey(),
	} {
		require.True(t, secrets[what].MatchString(example), what)
	}
}
