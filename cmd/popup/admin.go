package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

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

// ensure creates the first administrator of a shop that has none. shown is the password if it was generated; it is not
// stored.
func (f firstAdmin) ensure(ctx context.Context, pool *pgxpool.Pool) (shown string, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var there bool
		if err := provision.Lock(ctx, tx, "the first admin"); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM accounts.users WHERE role = 'admin' AND active)`).Scan(&there); err != nil || there {
			return err
		}
		secret := f.AdminPassword
		if secret == "" {
			secret = rand.Text()
			shown = secret
		}
		return f.make(ctx, tx, secret)
	})
	if err != nil {
		return "", fmt.Errorf("make the first admin: %w", err)
	}
	return shown, nil
}

// newAdmin returns the line with a new administrator's password, which is not shown again.
func (f firstAdmin) newAdmin(secret string) string {
	if secret == "" {
		return ""
	}
	return fmt.Sprintf("  admin        %s, password %s (shown this once)\n\n", f.AdminEmail, secret)
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
