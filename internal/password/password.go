// Package password hashes passwords with argon2id and rejects weak ones.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/popup-shop/popup/internal/typed"
)

// The cost of one hash: 19 MiB, 2 passes, 1 lane, as OWASP advises for argon2id.
const (
	memory  = 19 << 10
	passes  = 2
	lanes   = 1
	keySize = 32
	salt    = 16
)

// mostAtOnce is how many hashes are made at a time, at most.
const mostAtOnce = 4

// room bounds how many hashes are made at a time: each takes a processor and 19 MiB, and all together at most half of
// the memory that the program may have (GOMEMLIMIT).
var room = make(chan struct{}, roomFor(debug.SetMemoryLimit(-1), runtime.GOMAXPROCS(0)))

// roomFor returns how many hashes may be made at a time with a memory limit, in bytes, and a number of processors.
func roomFor(limit int64, processors int) int {
	return max(1, min(mostAtOnce, processors, int(limit/2/(memory<<10))))
}

// Hash makes what is kept of a password, in PHC form. The same password typed on another system, where "é" may be two characters, has
// the same hash.
func Hash(ctx context.Context, password string) (string, error) {
	var salted [salt]byte
	_, _ = rand.Read(salted[:]) // never fails
	key, err := derive(ctx, typed.Secret(password), salted[:], memory, passes, lanes, keySize)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, lanes, encode(salted[:]),
		encode(key)), nil
}

func derive(
	ctx context.Context, password string, salted []byte, memory, passes uint32, lanes uint8, size uint32,
) ([]byte, error) {
	if err := enter(ctx); err != nil {
		return nil, err
	}
	defer leave()
	return argon2.IDKey([]byte(password), salted, passes, memory, lanes, size), nil
}

// enter blocks until one hash more may be made.
func enter(ctx context.Context) error {
	select {
	case room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func leave() { <-room }

// noAccountHash is the hash to compare with where the account does not exist.
const noAccountHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// Verify reports whether a hash was made from a password. An empty hash takes as long as any other and never matches.
// old reports whether the hash should be replaced because it has another algorithm or cost.
func Verify(ctx context.Context, hash, password string) (right, old bool, err error) {
	if hash == "" {
		_, _, err := verify(ctx, noAccountHash, password)
		return false, false, err
	}
	normalised := typed.Secret(password)
	right, old, err = verify(ctx, hash, normalised)
	if right || err != nil || normalised == password {
		return right, old, err
	}
	right, _, err = verify(ctx, hash, password) // hashes of before are of the password as it was typed
	return right, true, err
}

func verify(ctx context.Context, hash, password string) (right, old bool, err error) {
	if strings.HasPrefix(hash, "$2") {
		if err := enter(ctx); err != nil {
			return false, false, err
		}
		defer leave()
		err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
		return err == nil, true, nil
	}
	cost, salted, want, err := parse(hash)
	if err != nil {
		return false, false, err
	}
	got, err := derive(ctx, password, salted, cost[0], cost[1], uint8(cost[2]), uint32(len(want)))
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, cost != [3]uint32{memory, passes, lanes}, nil
}

var errForm = errors.New("a kept hash has a form that nobody knows")

// parse reads $argon2id$v=19$m=…,t=…,p=…$salt$key.
func parse(hash string) (cost [3]uint32, salted, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return cost, nil, nil, errForm
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost[0], &cost[1], &cost[2]); err != nil {
		return cost, nil, nil, errForm
	}
	salted, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return cost, nil, nil, errForm
	}
	if key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(key) == 0 || cost[1] == 0 ||
		cost[2] == 0 || cost[2] > 255 {
		return cost, nil, nil, errForm
	}
	return cost, salted, key, nil
}

func encode(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }
