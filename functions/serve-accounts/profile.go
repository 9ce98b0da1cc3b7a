package serveaccounts

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/web"
)

func readMe(ctx context.Context, db web.Reader, _ *struct{}) (*UserAnswer, error) {
	u, err := selectUser(ctx, db, web.CallerOf(ctx).ID)
	return &UserAnswer{u}, err
}

// ProfileRequest is what somebody says about themselves from now on.
type ProfileRequest struct {
	Body struct {
		Profile
		Password string `json:"password,omitempty" maxLength:"128" doc:"needed to change the e-mail address"`
	}
}

// proof is a password that is to be shown again, and what is kept of it.
type proof struct {
	needed bool
	hash   string
	fresh  string // the hash of the next password
	keys   []string
}

func prepareProfile(ctx context.Context, tx pgx.Tx, in *ProfileRequest) (*proof, error) {
	if faults := in.Body.faults(); faults != nil {
		return nil, web.Invalid(faults...)
	}
	u, err := selectUser(ctx, tx, web.CallerOf(ctx).ID)
	if err != nil || strings.EqualFold(u.Email, in.Body.Email) {
		return &proof{}, err
	}
	if in.Body.Password == "" {
		return nil, web.Invalid(web.Fault{Field: "password", Why: "is needed to change the e-mail address"})
	}
	return readProof(ctx, tx)
}

// readProof reads what is kept of the caller's password, which is nothing for those who have none, and counts a try to show it.
func readProof(ctx context.Context, tx pgx.Tx) (*proof, error) {
	p := &proof{needed: true, keys: []string{throttleKey("proof", web.CallerOf(ctx).ID)}}
	err := tx.QueryRow(ctx, `
		SELECT coalesce((SELECT hash FROM accounts.passwords WHERE user_id = @user_id), '')`, pgx.NamedArgs{"user_id": web.CallerOf(ctx).ID}).Scan(&p.hash)
	if err != nil {
		return nil, fmt.Errorf("read password of user %s: %w", web.CallerOf(ctx).ID, err)
	}
	return p, count(ctx, tx, p.keys)
}

func (r *ProfileRequest) shown() (field, password string)  { return "password", r.Body.Password }
func (r *PasswordRequest) shown() (field, password string) { return "old", r.Body.Old }

// checkProof looks whether the password that was shown is right, where one is needed.
func checkProof[I any, P interface {
	*I
	shown() (field, password string)
}](ctx context.Context, in *I, p *proof) error {
	if !p.needed {
		return nil
	}
	field, shown := P(in).shown()
	right, _, err := password.Verify(ctx, p.hash, shown)
	if err == nil && !right {
		return web.Invalid(web.Fault{Field: field, Why: "is not your password"})
	}
	return err
}

func changeProfile(ctx context.Context, tx pgx.Tx, in *ProfileRequest, p *proof) (*UserAnswer, []events.Event, error) {
	caller, body := web.CallerOf(ctx), in.Body
	if err := calm(ctx, tx, p.keys); err != nil {
		return nil, nil, err
	}
	u, err := scanUser(tx.QueryRow(ctx, `
		UPDATE accounts.users SET email = @email, name = @name, phone = @phone, locale = @locale
		WHERE user_id = @user_id AND (@proven OR lower(email) = lower(@email))
		RETURNING `+userColumns, pgx.NamedArgs{
		"user_id": caller.ID, "email": body.Email, "name": body.Name, "phone": body.Phone, "locale": cmp.Or(body.Locale, "en"), "proven": p.needed,
	}))
	if breaks(err, "users_email_unique") {
		return nil, nil, web.NewProblem(http.StatusConflict, "e-mail-taken", "there is an account with this e-mail address")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store profile of user %s: %w", caller.ID, err)
	}
	return &UserAnswer{u}, []events.Event{events.AccountChanged{CustomerID: caller.ID, Change: "profile"}}, nil
}

// PasswordRequest changes a password.
type PasswordRequest struct {
	Body struct {
		Old string `json:"old" maxLength:"128"`
		New string `json:"new" minLength:"8" maxLength:"128" doc:"8 to 128 characters, and none that is tried first"`
	}
}

func preparePassword(ctx context.Context, tx pgx.Tx, in *PasswordRequest) (*proof, error) {
	if why := password.Fault(in.Body.New, web.CallerOf(ctx).Email); why != "" {
		return nil, web.Invalid(web.Fault{Field: "new", Why: why})
	}
	return readProof(ctx, tx)
}

func checkPassword(ctx context.Context, in *PasswordRequest, p *proof) (err error) {
	if err := checkProof(ctx, in, p); err != nil {
		return err
	}
	p.fresh, err = password.Hash(ctx, in.Body.New)
	return err
}

// changePassword ends all other sessions: who knew the old password is out.
func changePassword(ctx context.Context, tx pgx.Tx, _ *PasswordRequest, p *proof) (*struct{}, []events.Event, error) {
	caller := web.CallerOf(ctx)
	if err := calm(ctx, tx, p.keys); err != nil {
		return nil, nil, err
	}
	if err := setHash(ctx, tx, caller.ID, p.hash, p.fresh); err != nil {
		return nil, nil, err
	}
	if _, err := end(ctx, tx, caller.ID, caller.Session, true); err != nil {
		return nil, nil, err
	}
	return &struct{}{}, []events.Event{
		events.AccountChanged{CustomerID: caller.ID, Change: "password"},
		events.SessionRevoked{CustomerID: caller.ID, SessionID: caller.Session, Reason: "password"},
	}, nil
}

// DataAnswer is all that is kept about somebody.
type DataAnswer struct {
	Body json.RawMessage
}

// readData collects everything that is the caller's own.
func readData(ctx context.Context, db web.Reader, _ *struct{}) (*DataAnswer, error) {
	a := &DataAnswer{}
	err := db.QueryRow(ctx, `
		SELECT json_build_object(
			'user', (SELECT to_json(u) FROM accounts.users u WHERE user_id = @me),
			'addresses', (SELECT coalesce(json_agg(a ORDER BY created_at), '[]') FROM accounts.addresses a WHERE user_id = @me),
			'ssh_keys', (SELECT coalesce(json_agg(k ORDER BY created_at), '[]') FROM accounts.ssh_keys k WHERE user_id = @me),
			'sessions', (SELECT coalesce(json_agg(json_build_object('id', session_id, 'source', source, 'agent', agent,
				'created_at', created_at, 'used_at', used_at, 'ended_at', ended_at) ORDER BY created_at), '[]') FROM accounts.sessions WHERE user_id = @me),
			'orders', (SELECT coalesce(json_agg(json_build_object('id', o.order_id, 'order_number', order_number, 'status', status, 'reason', reason,
				'created_at', created_at, 'currency', currency, 'total_minor', total_minor, 'to', to_json(a),
				'lines', (SELECT json_agg(l ORDER BY line) FROM orders.lines l WHERE l.order_id = o.order_id)) ORDER BY created_at), '[]')
				FROM orders.orders o JOIN orders.addresses a USING (order_id) WHERE o.customer_id = @me))`,
		pgx.NamedArgs{"me": web.CallerOf(ctx).ID}).Scan(&a.Body)
	if err != nil {
		return nil, fmt.Errorf("read data of user %s: %w", web.CallerOf(ctx).ID, err)
	}
	return a, nil
}
