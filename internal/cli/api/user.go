package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/printer"
)

// UserCommand uses the HTTP API of a shop.
type UserCommand struct {
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
	return AskSecret(question)
}

var piped = bufio.NewReader(os.Stdin)

// AskSecret reads a line from the terminal without showing it, or from a pipe.
func AskSecret(question string) (string, error) {
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
func (c *signupCommand) Run(ctx context.Context, out *printer.Printer) error {
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
	if err := c.keep(made.Tokens); err != nil {
		return err
	}
	return out.Done(made.User, "%s has an account and is signed in", c.Email)
}

type loginCommand struct {
	shopAddress
	secretly
	Email string `arg:"" help:"E-mail address."`
}

// Run signs in.
func (c *loginCommand) Run(ctx context.Context, out *printer.Printer) error {
	secret, err := c.read("Password")
	if err != nil {
		return err
	}
	made, err := c.visitor().Login(ctx, client.LoginRequest{Email: c.Email, Password: secret})
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	if err := c.keep(made); err != nil {
		return err
	}
	return out.Done(map[string]string{"email": c.Email}, "%s is signed in", c.Email)
}

type logoutCommand struct {
	shopAddress
	Everywhere bool `help:"End all sessions, on all machines."`
}

// Run signs out, here in any case.
func (c *logoutCommand) Run(ctx context.Context, out *printer.Printer) error {
	err := c.user().Logout(ctx, client.LogoutQuery{Everywhere: c.Everywhere})
	if gone := c.forget(); gone != nil {
		return gone
	}
	if err != nil {
		return err
	}
	return out.Done(map[string]bool{"signed_out": true}, "signed out")
}

type meCommand struct{ shopAddress }

// Run shows who is signed in.
func (c *meCommand) Run(ctx context.Context, out *printer.Printer) error {
	me, err := c.user().GetMe(ctx)
	if err != nil {
		return err
	}
	return showUser(out, me)
}

func showUser(out *printer.Printer, u client.User) error {
	return out.Object(
		u,
		printer.Field{Name: "id", Value: u.ID},
		printer.Field{Name: "email", Value: u.Email},
		printer.Field{Name: "name", Value: u.Name},
		printer.Field{Name: "phone", Value: u.Phone},
		printer.Field{Name: "role", Value: u.Role},
		printer.Field{Name: "active", Value: u.Active},
		printer.Field{Name: "locale", Value: u.Locale},
		printer.Field{Name: "created_at", Value: u.CreatedAt},
	)
}

type passwordCommand struct {
	shopAddress
	Old string `env:"POPUP_PASSWORD" help:"Current password; prompted for if not set."`
	New string `env:"POPUP_NEW_PASSWORD" help:"New password; prompted for if not set."`
}

// Run changes the password.
func (c *passwordCommand) Run(ctx context.Context, out *printer.Printer) (err error) {
	if c.Old, err = (secretly{c.Old}).read("Password until now"); err != nil {
		return err
	}
	if c.New, err = (secretly{c.New}).read("New password"); err != nil {
		return err
	}
	if err := c.user().ChangeMyPassword(ctx, client.ChangeMyPasswordRequest{Old: c.Old, New: c.New}); err != nil {
		return err
	}
	return out.Done(map[string]bool{"changed": true}, "the password is changed")
}

type sessionsCommand struct{ shopAddress }

// Run lists sessions.
func (c *sessionsCommand) Run(ctx context.Context, out *printer.Printer) error {
	page, err := c.user().ListMySessions(ctx, client.Paging{Limit: 100})
	if err != nil {
		return err
	}
	return printer.List(
		out, page.Items,
		printer.Column[client.Session]{Name: "current", Cell: func(s client.Session) any { return star(s.Current) }},
		printer.Column[client.Session]{Name: "id", Cell: func(s client.Session) any { return s.ID }},
		printer.Column[client.Session]{Name: "used_at", Cell: func(s client.Session) any { return s.UsedAt }},
		printer.Column[client.Session]{Name: "source", Cell: func(s client.Session) any { return s.Source }},
		printer.Column[client.Session]{Name: "agent", Cell: func(s client.Session) any { return s.Agent }},
	)
}

// star marks what is true in a list.
func star(marked bool) string {
	if marked {
		return "*"
	}
	return ""
}

type tokenCommand struct{ shopAddress }

// Run shows an access token that is valid for some minutes at least.
func (c *tokenCommand) Run(ctx context.Context, out *printer.Printer) error {
	s, err := c.fresh(ctx)
	if err != nil {
		return err
	}
	return out.Done(map[string]any{"access_token": s.AccessToken, "expires_at": s.ExpiresAt}, "%s", s.AccessToken)
}

type usersCommand struct {
	shopAddress
	Q    string `arg:"" optional:"" help:"Part of a name, an e-mail address or a telephone number."`
	Role string `default:"" enum:",guest,customer,staff,admin" help:"List only this role: guest, customer, staff or admin."`
	paging
}

// Run lists users.
func (c *usersCommand) Run(ctx context.Context, out *printer.Printer) error {
	page, err := c.user().ListUsers(ctx, client.ListUsersQuery{Paging: c.query(), Q: c.Q, Role: c.Role})
	if err != nil {
		return err
	}
	return printer.List(
		out, page.Items,
		printer.Column[client.User]{Name: "email", Cell: func(u client.User) any { return u.Email }},
		printer.Column[client.User]{Name: "name", Cell: func(u client.User) any { return u.Name }},
		printer.Column[client.User]{Name: "phone", Cell: func(u client.User) any { return u.Phone }},
		printer.Column[client.User]{Name: "role", Cell: func(u client.User) any { return u.Role }},
		printer.Column[client.User]{Name: "active", Cell: func(u client.User) any { return u.Active }},
		printer.Column[client.User]{Name: "id", Cell: func(u client.User) any { return u.ID }},
	)
}

type roleCommand struct {
	shopAddress
	User string `arg:"" help:"E-mail address or id of the user."`
	Role string `arg:"" enum:"customer,staff,admin" help:"One of ${enum}."`
	Shut bool   `help:"Lock the account."`
}

// Run gives a role.
func (c *roleCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findUser(ctx, shop, c.User)
	if err != nil {
		return err
	}
	changed, err := shop.ChangeUser(ctx, id, client.ChangeUserRequest{Role: c.Role, Active: !c.Shut})
	if err != nil {
		return err
	}
	return showUser(out, changed)
}
