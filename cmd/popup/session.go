package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// shopAddress is the shop that one is signed in to.
type shopAddress struct {
	Shop string `default:"http://127.0.0.1:8080" env:"POPUP_SHOP" help:"Address of the shop."`
}

// session is what is kept of being signed in, in the user's own folder and for nobody else to read.
type session struct {
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	ExpiresIn    int       `json:"expires_in"`
	ExpiresAt    time.Time `json:"expires_at"`
}

var errSignedOut = errors.New("nobody is signed in: popup user login")

// file is where the session with this shop is kept.
func (a shopAddress) file() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the folder for settings: %w", err)
	}
	return filepath.Join(dir, "popup", "session-"+url.PathEscape(strings.TrimRight(a.Shop, "/"))+".json"), nil
}

func (a shopAddress) keep(s session) error {
	file, err := a.file()
	if err != nil {
		return err
	}
	s.ExpiresAt = time.Now().Add(time.Duration(s.ExpiresIn) * time.Second)
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	next := file + ".new" // whole or not at all, and nobody's but ours from the beginning
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	if err := os.Rename(next, file); err != nil {
		return fmt.Errorf("keep session: %w", err)
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
	var next session
	if err := a.send(ctx, "", http.MethodPost, "/v1/users/refresh", map[string]string{"refresh_token": s.RefreshToken}, &next); err != nil {
		return s, fmt.Errorf("the session is over, please sign in again: %w", err)
	}
	return next, a.keep(next)
}

// as calls the shop as whoever is signed in.
func (a shopAddress) as(ctx context.Context, method, path string, body, into any) error {
	s, err := a.fresh(ctx)
	if err != nil {
		return err
	}
	return a.send(ctx, s.AccessToken, method, path, body, into)
}

func (a shopAddress) send(ctx context.Context, token, method, path string, body, into any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(a.Shop, "/")+path, bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("call %s: %w", a.Shop, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "popup")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("reach the shop: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read the shop's answer: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		return refusal(answer, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

// refusal is what the shop says against a call, field by field.
func refusal(answer *http.Response, text []byte) error {
	var problem struct {
		Detail string `json:"detail"`
		Errors []struct {
			Field string `json:"field"`
			Why   string `json:"why"`
		} `json:"errors"`
	}
	if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
		return fmt.Errorf("the shop answered %s", answer.Status)
	}
	for _, fault := range problem.Errors {
		problem.Detail += "; " + fault.Field + " " + fault.Why
	}
	if wait := answer.Header.Get("Retry-After"); wait != "" {
		problem.Detail += "; try again in " + wait + " s"
	}
	return errors.New(problem.Detail)
}
