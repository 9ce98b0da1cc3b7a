package config_test

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
)

func settings() (secret, public string) {
	return config.KeySettings(ed25519.NewKeyFromSeed([]byte(strings.Repeat("s", ed25519.SeedSize))))
}

func TestAKeyIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	secret, public := settings()
	keys, err := config.Signing{TokenKeys: []string{" " + secret + "\n"}}.Keys()
	require.NoError(t, err)
	verify, err := config.Access{TokenPublicKeys: []string{public, public + "="}}.Keys()
	require.NoError(t, err)
	require.Equal(t, verify[0], keys[0].Public())
	require.Equal(t, verify[0], verify[1])
}

func TestAKeyThatIsNoneIsNamedAndNotShown(t *testing.T) {
	t.Parallel()
	secret, public := settings()
	for name, wrong := range map[string][]string{
		"short": {"c2VjcmV0"}, "no base64": {"?" + secret[1:]}, "three": {secret, secret, secret}, "empty": {""},
	} {
		_, err := config.Signing{TokenKeys: wrong}.Keys()
		require.ErrorContains(t, err, "TOKEN_KEYS", name)
		require.NotContains(t, err.Error(), secret[1:], name)
		require.ErrorContains(t, config.Access{TokenPublicKeys: wrong}.Check(), "TOKEN_PUBLIC_KEYS", name)
	}
	require.NoError(t, config.Access{TokenPublicKeys: []string{public}}.Check())
}

func TestAStoreOfPicturesIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	whole := config.Pictures{
		S3URL: "https://s3.example.org", S3Bucket: "pictures", S3Key: "key", S3Secret: "secret",
		PictureURL: config.PictureURL{PicturesURL: "https://pictures.example.org/"},
	}
	require.NoError(t, whole.Check())
	require.NoError(t, config.Pictures{PictureURL: config.PictureURL{PicturesURL: "/pictures/"}}.Check())
	for says, breaks := range map[string]func(*config.Pictures){
		"S3_URL: must be an address": func(p *config.Pictures) { p.S3URL = "s3.example.org" },
		"S3_BUCKET: is missing":      func(p *config.Pictures) { p.S3Bucket = "" },
		"S3_KEY: is missing":         func(p *config.Pictures) { p.S3Key = "" },
		"S3_SECRET: is missing":      func(p *config.Pictures) { p.S3Secret = "" },
		"must end with /":            func(p *config.Pictures) { p.PicturesURL = "https://pictures.example.org" },
	} {
		broken := whole
		breaks(&broken)
		require.ErrorContains(t, broken.Check(), says)
	}
}

func TestAnAddressThatIsNoneIsNamed(t *testing.T) {
	t.Setenv("STATUS_OF", "mail=127.0.0.1:25,s3=[::1]:443")
	read, err := config.Read[config.Gateway]()
	require.NoError(t, err)
	outside, err := read.Outside()
	require.NoError(t, err)
	require.Equal(t, map[string]string{"mail": "127.0.0.1:25", "s3": "[::1]:443"}, outside)
	for _, wrong := range []string{"mail", "mail=localhost", "=localhost:25", "mail:localhost:25"} {
		require.ErrorContains(t, config.Gateway{StatusOf: []string{wrong}}.Check(), "STATUS_OF="+wrong)
	}
}
