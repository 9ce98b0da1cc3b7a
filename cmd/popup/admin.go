package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/provision"
)

// firstAdmin is the account of the first administrator.
type firstAdmin struct {
	AdminEmail    string `default:"admin@popup.example" env:"ADMIN_EMAIL" help:"E-mail address of the first administrator."`
	AdminPassword string `env:"ADMIN_PASSWORD" help:"Password of the first administrator; generated and shown once if not set."`
}

// admin is what became of the first administrator's account.
type admin struct {
	Email    string `json:"admin_email"`
	Password string `json:"admin_password,omitempty"` // the generated one, which is not stored
	Ignored  bool   `json:"admin_password_ignored"`   // ADMIN_PASSWORD is not the account's, which was made before
}

// ensure creates the first administrator of a shop that has none.
func (f firstAdmin) ensure(ctx context.Context, pool *pgxpool.Pool) (a admin, err error) {
	a.Email = f.AdminEmail
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if err := provision.Lock(ctx, tx, "the first admin"); err != nil {
			return err
		}
		var exists bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM accounts.users WHERE role = 'admin' AND active)`).Scan(&exists)
		if err != nil {
			return err
		}
		if exists {
			a.Ignored, err = f.ignored(ctx, tx)
			return err
		}
		secret := f.AdminPassword
		if secret == "" {
			secret = rand.Text()
			a.Password = secret
		}
		return f.make(ctx, tx, secret)
	})
	if err != nil {
		return admin{}, fmt.Errorf("make the first admin: %w", err)
	}
	return a, nil
}

// ignored reports whether ADMIN_PASSWORD is set and not the password of the account.
func (f firstAdmin) ignored(ctx context.Context, tx pgx.Tx) (bool, error) {
	if f.AdminPassword == "" {
		return false, nil
	}
	var hash string
	err := tx.QueryRow(ctx, `
		SELECT hash
		FROM accounts.users
		JOIN accounts.passwords USING (user_id)
		WHERE lower(email) = lower(@email) AND active`, pgx.NamedArgs{"email": f.AdminEmail}).Scan(&hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	matches, _, err := password.Verify(ctx, hash, f.AdminPassword)
	return !matches, err
}

// warn prints that ADMIN_PASSWORD is ignored, if it is.
func (a admin) warn() {
	if a.Ignored {
		fmt.Fprintf(os.Stderr, "popup: ADMIN_PASSWORD is ignored, because the shop has an administrator; popup user reset %s sets a new password\n",
			a.Email)
	}
}

// line returns the line with a new administrator's password, which is not shown again.
func (a admin) line() string {
	if a.Password == "" {
		return ""
	}
	return fmt.Sprintf("  admin        %s, password %s (shown this once)\n\n", a.Email, a.Password)
}

func (f firstAdmin) make(ctx context.Context, tx pgx.Tx, secret string) error {
	if why := password.Weakness(secret, f.AdminEmail); why != "" {
		return errors.New("ADMIN_PASSWORD " + why)
	}
	hash, err := password.Hash(ctx, secret)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		WITH made AS (
			INSERT INTO accounts.users (user_id, email, name, role) VALUES (@user_id, @email, 'Admin', 'admin') RETURNING user_id
		)
		INSERT INTO accounts.passwords (user_id, hash) SELECT user_id, @hash FROM made`,
		pgx.NamedArgs{"user_id": id.String(), "email": f.AdminEmail, "hash": hash})
	return err
}
