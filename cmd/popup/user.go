package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/popup-shop/popup/client"
)

// userCommand uses the HTTP API of a shop.
type userCommand struct {
	Signup   signupCommand   `cmd:"" help:"Create an account and sign in."`
	Login    loginCommand    `cmd:"" help:"Sign in."`
	Logout   logoutCommand   `cmd:"" help:"Sign out."`
	Me       meCommand       `cmd:"" help:"Show the signed-in account."`
	Password passwordCommand `cmd:"" help:"Change the password and end all other sessions."`
	Sessions sessionsCommand `cmd:"" help:"List the account's sessions."`
	Token    tokenCommand    `cmd:"" help:"Print an access token, for other programs."`
	List     usersCommand    `cmd:"" help:"List users and guests, for staff."`
	Role     roleCommand     `cmd:"" help:"Change a user's role or lock an account; for administrators."`
}

// secretly is a password that is asked for, or comes from the environment or a pipe.
type secretly struct {
	Secret string `name:"password" env:"POPUP_PASSWORD" help:"Password; prompted for if not set."`
}

func (s secretly) read(question string) (string, error) {
	if s.Secret != "" {
		return s.Secret, nil
	}
	return ask(question)
}

var piped = bufio.NewReader(os.Stdin)

// ask reads a line without showing it.
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
		return "", errors.Join(errors.New(strings.ToLower(question)+" is missing"), err)
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
	made, err := c.visitor().Register(ctx, client.RegisterRequest{
		Email: c.Email, Password: secret, Name: c.Name, Phone: c.Phone,
	})
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	fmt.Printf("%s has an account and is signed in\n", c.Email)
	return c.keep(made.Tokens)
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
	made, err := c.visitor().Login(ctx, client.LoginRequest{Email: c.Email, Password: secret})
	if err != nil {
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
	err := c.user().Logout(ctx, client.LogoutQuery{Everywhere: c.Everywhere})
	if gone := c.forget(); gone != nil {
		return gone
	}
	return err
}

type meCommand struct{ shopAddress }

// Run shows who is signed in.
func (c *meCommand) Run(ctx context.Context) error {
	me, err := c.user().GetMe(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("id          %s\nemail       %s\nname        %s\nphone       %s\nrole        %s\nlocale      %s\ncreated_at  %s\n",
		me.ID, me.Email, me.Name, me.Phone, me.Role, me.Locale, me.CreatedAt.Format(time.RFC3339))
	return nil
}

type passwordCommand struct {
	shopAddress
	Old string `env:"POPUP_PASSWORD" help:"Current password; prompted for if not set."`
	New string `env:"POPUP_NEW_PASSWORD" help:"New password; prompted for if not set."`
}

// Run changes the password.
func (c *passwordCommand) Run(ctx context.Context) (err error) {
	if c.Old, err = (secretly{c.Old}).read("Password until now"); err != nil {
		return err
	}
	if c.New, err = (secretly{c.New}).read("New password"); err != nil {
		return err
	}
	return c.user().ChangeMyPassword(ctx, client.ChangeMyPasswordRequest{Old: c.Old, New: c.New})
}

type sessionsCommand struct{ shopAddress }

// Run lists sessions.
func (c *sessionsCommand) Run(ctx context.Context) error {
	page, err := c.user().ListMySessions(ctx, client.Paging{Limit: 100})
	if err != nil {
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
	Role string `help:"List only this role: guest, customer, staff or admin."`
}

// Run lists users, one a line.
func (c *usersCommand) Run(ctx context.Context) error {
	page, err := c.user().ListUsers(ctx, client.ListUsersQuery{Paging: client.Paging{Limit: 100}, Q: c.Q, Role: c.Role})
	if err != nil {
		return err
	}
	lines := json.NewEncoder(os.Stdout)
	for _, user := range page.Items {
		if err := lines.Encode(user); err != nil {
			return err
		}
	}
	return nil
}

type roleCommand struct {
	shopAddress
	ID   string `arg:"" help:"Id of the user."`
	Role string `arg:"" enum:"customer,staff,admin" help:"One of ${enum}."`
	Shut bool   `help:"Lock the account."`
}

// Run gives a role.
func (c *roleCommand) Run(ctx context.Context) error {
	_, err := c.user().ChangeUser(ctx, c.ID, client.ChangeUserRequest{Role: c.Role, Active: !c.Shut})
	return err
}
