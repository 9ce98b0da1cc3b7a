package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	serveaccounts "github.com/popup-shop/popup/functions/serve-accounts"
	"github.com/popup-shop/popup/internal/printer"
)

// useKey makes a key of tokens the shop's: the one that is set, or one that is made once and kept in its folder.
func (c *runCommand) useKey(settings *functions.Settings) error {
	if len(settings.TokenKeys) == 0 {
		secret, err := c.keptKey()
		if err != nil {
			return err
		}
		settings.TokenKeys = []string{secret}
	}
	keys, err := settings.Signing.Keys()
	if err != nil {
		return err
	}
	settings.TokenPublicKeys = nil
	for _, key := range keys {
		_, public := config.KeySettings(key)
		settings.TokenPublicKeys = append(settings.TokenPublicKeys, public)
	}
	return nil
}

func (c *runCommand) keptKey() (string, error) {
	file := filepath.Join(c.Dir, "token-key")
	kept, err := os.ReadFile(file)
	if err == nil && !c.Fresh {
		return strings.TrimSpace(string(kept)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read token key: %w", err)
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return "", fmt.Errorf("create folder: %w", err)
	}
	secret, _ := config.NewKey()
	return secret, os.WriteFile(file, []byte(secret+"\n"), 0o600)
}

type keyCommand struct{}

// Run makes a key and shows both halves, as an environment file.
func (keyCommand) Run(out *printer.Printer) error {
	secret, public := config.NewKey()
	return out.Done(map[string]string{"token_keys": secret, "token_public_keys": public},
		"TOKEN_KEYS=%s\nTOKEN_PUBLIC_KEYS=%s", secret, public)
}

// movesMoney lists the functions that have the keys of payment providers.
var movesMoney = []string{"create-payment", "check-payment", "refund-payment", "reconcile-payments", "receive-webhook"}

// environment returns the settings of each program that differ from ours. All can verify tokens, one can make them; those
// that move money have the keys of payment providers; and this program is one proxy more in front of the gateway.
func environment(settings *functions.Settings) func(name string) []string {
	return func(name string) []string {
		told := []string{
			"TOKEN_PUBLIC_KEYS=" + strings.Join(settings.TokenPublicKeys, ","),
			"TRUSTED_HOPS=" + strconv.Itoa(settings.TrustedHops+1),
			"PAYMENT_METHODS=" + strings.Join(settings.PaymentMethods, ","),
		}
		if slices.Contains(movesMoney, name) {
			told = append(told, config.Environ(settings.Payments)...)
		}
		if name == serveaccounts.Name {
			told = append(told, "TOKEN_KEYS="+strings.Join(settings.TokenKeys, ","))
		}
		return told
	}
}
