package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// userCommand speaks to a shop over HTTP, as anybody might.
type userCommand struct {
	Signup   signupCommand   `cmd:"" help:"Make an account and sign in."`
	Login    loginCommand    `cmd:"" help:"Sign in."`
	Logout   logoutCommand   `cmd:"" help:"Sign out."`
	Me       meCommand       `cmd:"" help:"Show who is signed in."`
	Password passwordCommand `cmd:"" help:"Change the password; all other sessions end."`
	Sessions sessionsCommand `cmd:"" help:"List where one is signed in."`
	Token    tokenCommand    `cmd:"" help:"Show an access token, for other programs."`
	List     usersCommand    `cmd:"" help:"List users and guests, for staff."`
	Role     roleCommand     `cmd:"" help:"Give somebody a role, or shut them out, for admins."`
}

// secretly is a password that is asked for, or comes from the environment or a pipe.
type secretly struct {
	Secret string `name:"password" env:"POPUP_PASSWORD" help:"Password; asked for if not set."`
}

func (s secretly) read(question string) (string, error) {
	if s.Secret != "" {
		return s.Secret, nil
	}
	return ask(question)
}

var piped = bufio.NewReader(os.Stdin)

// ask reads a line, and does not show it to whoever sits beside.
func ask(question string) (string, error) {
	fmt.Fprint(os.Stderr, question+": ")
	defer fmt.Fprintln(os.Stderr)
	var line string
	var err error
	if stdin := int(os.Stdin.Fd()); term.IsTerminal(stdin) {
		var typed []byte
		typed, err = term.ReadPassword(stdin)
		line = string(typed)
	} else {
		line, err = piped.ReadString('\n')
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.Join(errors.New(strings.ToLower(question)+": nothing was given"), err)
	}
	return line, nil
}

type signupCommand struct {
	shopAddress
	secretly
	Email string `arg:"" help:"E-mail address."`
	Name  string `required:"" help:"Name."`
	Phone string `required:"" help:"Telephone number."`
}

// Run makes an account.
func (c *signupCommand) Run(ctx context.Context) error {
	secret, err := c.read("Password")
	if err != nil {
		return err
	}
	var made struct {
		session
		ID string `json:"id"`
	}
	body := map[string]string{"email": c.Email, "password": secret, "name": c.Name, "phone": c.Phone}
	if err := c.send(ctx, "", http.MethodPost, "/v1/users/register", body, &made); err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	fmt.Printf("%s has an account and is signed in\n", c.Email)
	return c.keep(made.session)
}

type loginCommand struct {
	shopAddress
	secretly
	Email string `arg:"" help:"E-mail address."`
}

// Run signs in.
func (c *loginCommand) Run(ctx context.Context) error {
	secret, err := c.read("Password")
	if err != nil {
		return err
	}
	var made session
	if err := c.send(ctx, "", http.MethodPost, "/v1/users/login", map[string]string{"email": c.Email, "password": secret}, &made); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	fmt.Printf("%s is signed in\n", c.Email)
	return c.keep(made)
}

type logoutCommand struct {
	shopAddress
	Everywhere bool `help:"End all sessions, on all machines."`
}

// Run signs out, here in any case.
func (c *logoutCommand) Run(ctx context.Context) error {
	path := "/v1/users/logout"
	if c.Everywhere {
		path += "?everywhere=true"
	}
	err := c.as(ctx, http.MethodPost, path, nil, nil)
	if gone := c.forget(); gone != nil {
		return gone
	}
	return err
}

type meCommand struct{ shopAddress }

// Run shows who is signed in.
func (c *meCommand) Run(ctx context.Context) error {
	var me map[string]any
	if err := c.as(ctx, http.MethodGet, "/v1/users/me", nil, &me); err != nil {
		return err
	}
	for _, field := range []string{"id", "email", "name", "phone", "role", "locale", "created_at"} {
		fmt.Printf("%-11s %v\n", field, me[field])
	}
	return nil
}

type passwordCommand struct {
	shopAddress
	Old string `env:"POPUP_PASSWORD" help:"The password until now; asked for if not set."`
	New string `env:"POPUP_NEW_PASSWORD" help:"The new one; asked for if not set."`
}

// Run changes the password.
func (c *passwordCommand) Run(ctx context.Context) (err error) {
	if c.Old, err = (secretly{c.Old}).read("Password until now"); err != nil {
		return err
	}
	if c.New, err = (secretly{c.New}).read("New password"); err != nil {
		return err
	}
	return c.as(ctx, http.MethodPut, "/v1/users/me/password", map[string]string{"old": c.Old, "new": c.New}, nil)
}

type sessionsCommand struct{ shopAddress }

// Run lists sessions.
func (c *sessionsCommand) Run(ctx context.Context) error {
	var page struct {
		Items []struct {
			ID      string    `json:"id"`
			Source  string    `json:"source"`
			Agent   string    `json:"agent"`
			UsedAt  time.Time `json:"used_at"`
			Current bool      `json:"current"`
		} `json:"items"`
	}
	if err := c.as(ctx, http.MethodGet, "/v1/users/me/sessions?limit=100", nil, &page); err != nil {
		return err
	}
	for _, s := range page.Items {
		here := " "
		if s.Current {
			here = "*"
		}
		fmt.Printf("%s %s  %s  %-15s  %q\n", here, s.ID, s.UsedAt.Local().Format(time.DateTime), s.Source, s.Agent)
	}
	return nil
}

type tokenCommand struct{ shopAddress }

// Run shows an access token that is valid for some minutes at least.
func (c *tokenCommand) Run(ctx context.Context) error {
	s, err := c.fresh(ctx)
	if err == nil {
		fmt.Println(s.AccessToken)
	}
	return err
}

type usersCommand struct {
	shopAddress
	Q    string `arg:"" optional:"" help:"Part of a name, an e-mail address or a telephone number."`
	Role string `help:"Only those with this role: guest, customer, staff, admin."`
}

// Run lists users, one a line.
func (c *usersCommand) Run(ctx context.Context) error {
	var page struct {
		Items []json.RawMessage `json:"items"`
	}
	query := url.Values{"limit": {"100"}, "q": {c.Q}}
	if c.Role != "" {
		query.Set("role", c.Role)
	}
	if err := c.as(ctx, http.MethodGet, "/v1/users?"+query.Encode(), nil, &page); err != nil {
		return err
	}
	for _, user := range page.Items {
		fmt.Println(string(user))
	}
	return nil
}

type roleCommand struct {
	shopAddress
	ID   string `arg:"" help:"Id of the user."`
	Role string `arg:"" enum:"customer,staff,admin" help:"One of ${enum}."`
	Shut bool   `help:"Shut them out."`
}

// Run gives a role.
func (c *roleCommand) Run(ctx context.Context) error {
	return c.as(ctx, http.MethodPut, "/v1/users/"+url.PathEscape(c.ID), map[string]any{"role": c.Role, "active": !c.Shut}, nil)
}
