package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// defaultPasswords are those that an attacker tries first.
var defaultPasswords = []string{"", "popup", "postgres", "password", "admin", "secret", "test", "changeme"}

// checkSafe returns an error for a default password and for a connection that is not encrypted.
func (d Database) checkSafe() error {
	at, err := pgx.ParseConfig(d.Address())
	if err != nil {
		return errors.New("DATABASE_URL: is not an address of Postgres") // it may hold a password
	}
	if strings.HasPrefix(at.Host, "/") { // a socket of this machine
		return nil
	}
	plain := at.TLSConfig == nil
	for _, next := range at.Fallbacks {
		plain = plain || next.TLSConfig == nil
	}
	switch {
	case plain:
		return errors.New("DB_SSLMODE: PRODUCTION refuses plain text to the database; must be require, verify-ca or verify-full")
	case slices.Contains(defaultPasswords, at.Password) || at.Password == at.User:
		return errors.New("DB_PASSWORD: PRODUCTION refuses a default password")
	}
	return nil
}

// CheckSafe refuses an address that is neither within the cluster nor encrypted. name is the setting.
func CheckSafe(name, address string) error {
	at, err := url.Parse(address)
	if err != nil {
		return errors.New(name + ": is not an address") // it may hold a password
	}
	host := at.Hostname()
	if at.Scheme == "http" || at.Scheme == "nats" || at.Scheme == "ws" {
		if !strings.HasSuffix(host, ".svc.cluster.local") && !strings.HasSuffix(host, ".svc") {
			return fmt.Errorf("%s: PRODUCTION refuses plain text to %s, which is not in the cluster", name, host)
		}
	}
	return nil
}
