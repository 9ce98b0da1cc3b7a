// Package api is the commands of popup that use the HTTP API of a shop: what customers and staff do.
package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/cli/place"
)

// shopAddress is the shop that one is signed in to.
type shopAddress struct {
	place.Folder
	Shop string `env:"POPUP_SHOP" help:"Address of the shop; by default that of the shop that runs in the folder, or http://127.0.0.1:8080."`
}

// url returns the address of the shop.
func (a shopAddress) url() string {
	if a.Shop != "" {
		return a.Shop
	}
	running, err := a.Running()
	if err != nil {
		fmt.Fprintln(os.Stderr, "popup:", err)
	}
	return cmp.Or(running, "http://127.0.0.1:8080")
}

// session is stored in the user's own folder, readable by no other user.
type session struct {
	client.Tokens
	ExpiresAt time.Time `json:"expires_at"`
}

// visitor returns a client without a token.
func (a shopAddress) visitor() *client.Client {
	return client.New(a.url(), client.Header("User-Agent", "popup"), client.Patience(5*time.Second))
}

// user returns a client with the token of the session.
func (a shopAddress) user() *client.Client {
	return a.visitor().With(client.TokenFrom(func(ctx context.Context) (string, error) {
		s, err := a.fresh(ctx)
		return s.AccessToken, err
	}))
}

var errSignedOut = errors.New("not signed in; use popup user login")

// file is where the session with this shop is kept.
func (a shopAddress) file() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the settings folder: %w", err)
	}
	return filepath.Join(dir, "popup", "session-"+url.PathEscape(strings.TrimRight(a.url(), "/"))+".json"), nil
}

func (a shopAddress) keep(made client.Tokens) error {
	file, err := a.file()
	if err != nil {
		return err
	}
	text, err := json.Marshal(session{made, time.Now().Add(time.Duration(made.ExpiresIn) * time.Second)})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("store session: %w", err)
	}
	next := file + ".new" // written atomically, and private from the beginning
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("store session: %w", err)
	}
	if err := os.Rename(next, file); err != nil {
		return fmt.Errorf("store session: %w", err)
	}
	return nil
}

func (a shopAddress) kept() (s session, err error) {
	file, err := a.file()
	if err != nil {
		return s, err
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, errSignedOut
	}
	if err != nil {
		return s, fmt.Errorf("read session: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("read session %s: %w", file, err)
	}
	return s, nil
}

func (a shopAddress) forget() error {
	file, err := a.file()
	if err == nil {
		err = os.Remove(file)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// fresh is the kept session, with new tokens where the old ones end soon.
func (a shopAddress) fresh(ctx context.Context) (session, error) {
	s, err := a.kept()
	if err != nil || time.Until(s.ExpiresAt) > 5*time.Minute {
		return s, err
	}
	next, err := a.visitor().Refresh(ctx, client.RefreshRequest{RefreshToken: s.RefreshToken})
	if err != nil {
		return s, fmt.Errorf("the session has expired, please sign in again: %w", err)
	}
	return session{Tokens: next}, a.keep(next)
}
