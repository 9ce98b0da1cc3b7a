package serveaccounts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/throttle"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// KnownClient is a machine client: a program that may call the API.
type KnownClient struct {
	ID        string    `json:"id" format:"uuid"`
	Name      string    `json:"name"`
	Scopes    []string  `json:"scopes" nullable:"false"`
	OwnerID   string    `json:"owner_id" format:"uuid"`
	CreatedAt time.Time `json:"created_at"`
}

func listClients(ctx context.Context, db web.Reader, in *ListRequest) (items []KnownClient, total int64, err error) {
	args := pgx.NamedArgs{"limit": in.Limit, "offset": in.Offset()}
	return web.QueryPage(ctx, db, pgx.RowToStructByPos[KnownClient], `FROM accounts.clients`,
		`SELECT client_id::text, name, scopes, owner_id::text, created_at`, `ORDER BY created_at, client_id LIMIT @limit OFFSET @offset`, args)
}

// ClientRequest creates a client.
type ClientRequest struct {
	Body struct {
		Name   string   `json:"name" minLength:"1" maxLength:"100"`
		Scopes []string `json:"scopes" minItems:"1" maxItems:"6" enum:"orders,stock,catalogue,events,documents,metrics"`
	}
}

// Resolve returns what is wrong with the scopes.
func (in *ClientRequest) Resolve(huma.Context) []error {
	scopes := slices.Sorted(slices.Values(in.Body.Scopes))
	switch {
	case len(scopes) == 0: // null passes the schema's minItems
		return web.BodyErrors([]problem.FieldError{{Field: "scopes", Message: "must have at least one"}})
	case len(slices.Compact(slices.Clone(scopes))) < len(scopes):
		return web.BodyErrors([]problem.FieldError{{Field: "scopes", Message: "must not contain duplicates"}})
	}
	return nil
}

// ClientAnswer is a new client with its secret, which is shown once.
type ClientAnswer struct {
	Body struct {
		KnownClient
		Secret string `json:"secret" doc:"The secret. It is returned only once."`
	}
}

func addClient(ctx context.Context, tx pgx.Tx, in *ClientRequest) (*ClientAnswer, []events.Event, error) {
	scopes := slices.Sorted(slices.Values(in.Body.Scopes))
	clientID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	a := &ClientAnswer{}
	a.Body.KnownClient = KnownClient{ID: clientID.String(), Name: in.Body.Name, Scopes: scopes, OwnerID: auth.CallerFrom(ctx).ID}
	a.Body.Secret = rand.Text() + rand.Text()
	err = tx.QueryRow(ctx, `
		INSERT INTO accounts.clients (client_id, name, secret_hash, scopes, owner_id)
		VALUES (@client_id, @name, @secret_hash, @scopes, @owner_id)
		RETURNING created_at`, pgx.NamedArgs{
		"client_id": a.Body.ID, "name": a.Body.Name, "secret_hash": auth.HashToken(a.Body.Secret),
		"scopes": a.Body.Scopes, "owner_id": a.Body.OwnerID,
	}).Scan(&a.Body.CreatedAt)
	if err != nil {
		return nil, nil, fmt.Errorf("store client %s: %w", clientID, err)
	}
	return a, nil, nil
}

func deleteClient(ctx context.Context, tx pgx.Tx, in *Named) (*struct{}, []events.Event, error) {
	return deleteOwned(ctx, tx, "client", in.ID, `
		DELETE FROM accounts.clients
		WHERE client_id = @id`)
}

// ClientTokenRequest authenticates a client by its secret.
type ClientTokenRequest struct {
	Body struct {
		ClientID     string `json:"client_id" format:"uuid"`
		ClientSecret string `json:"client_secret" maxLength:"200"`
	}
}

// ClientTokenAnswer is an access token of a client.
type ClientTokenAnswer struct {
	Body struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
		TokenType   string `json:"token_type" example:"Bearer"`
	}
}

// clientToken returns an access token of a client. The secret is random and can't be guessed; attempts are counted
// nevertheless.
func (a *accounts) clientToken(ctx context.Context, tx pgx.Tx, in *ClientTokenRequest) (*ClientTokenAnswer, []events.Event, error) {
	keys := throttle.SourceKeys(ctx)
	if err := throttle.Count(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	claims := token.Claims{ID: in.Body.ClientID, Role: token.Client}
	if !id.Valid(claims.ID) {
		return nil, nil, web.CommitRefusal(wrongSecret())
	}
	err := tx.QueryRow(ctx, `
		SELECT scopes FROM accounts.client_of_secret(@client_id, @secret_hash)`,
		pgx.NamedArgs{"client_id": claims.ID, "secret_hash": auth.HashToken(in.Body.ClientSecret)}).Scan(&claims.Scopes)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, web.CommitRefusal(wrongSecret())
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read client %s: %w", claims.ID, err)
	}
	if err := throttle.Reset(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	answer := &ClientTokenAnswer{}
	answer.Body.AccessToken, err = a.signing.Sign(claims, time.Now())
	answer.Body.ExpiresIn, answer.Body.TokenType = int(token.Life.Seconds()), "Bearer"
	return answer, nil, err
}

func wrongSecret() *problem.Problem {
	p := problem.NotSignedIn()
	p.Detail = "The client id or the secret is wrong."
	return p
}
