package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// shortest is how many characters a token has at least.
	shortest = 16
	// maxFile bounds a file of tokens, in bytes.
	maxFile = 64 << 10
	// lookEvery is how often, at most, a request looks whether the file has changed.
	lookEvery = time.Second
)

// tokens are those of one file. What was read last holds while the file cannot be
// used: a deployment that writes it must not lock the operator out.
type tokens struct {
	path, role string
	log        *slog.Logger

	mu     sync.Mutex
	known  []token
	seen   version
	looked time.Time
}

// token is kept as its hash, so that it can be compared in constant time and is
// nowhere in memory once it is read.
type token struct {
	name string
	hash [sha256.Size]byte
}

type version struct{ size, modified int64 }

// openTokens reads a file; nil is no file.
func openTokens(path, role string, log *slog.Logger) (*tokens, error) {
	if path == "" {
		return nil, nil
	}
	t := &tokens{path: path, role: role, log: log}
	return t, t.read()
}

// find is the name of a token. A nil list has none.
func (t *tokens) find(text string) (name string, ok bool) {
	if t == nil || len(text) < shortest {
		return "", false
	}
	hash := sha256.Sum256([]byte(text))
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.looked) >= lookEvery && t.version() != t.seen {
		if err := t.read(); err != nil {
			t.log.Error("the changed file of tokens cannot be used, the former tokens stay", "role", t.role, "error", err)
		} else {
			t.log.Info("the file of tokens has changed", "role", t.role, "tokens", len(t.known))
		}
	}
	for _, k := range t.known {
		if subtle.ConstantTimeCompare(hash[:], k.hash[:]) == 1 {
			name, ok = k.name, true
		}
	}
	return name, ok
}

func (t *tokens) version() version {
	t.looked = time.Now()
	info, err := os.Stat(t.path)
	if err != nil {
		return version{}
	}
	return version{info.Size(), info.ModTime().UnixNano()}
}

func (t *tokens) read() error {
	t.seen = t.version() // before the file: what changes meanwhile is read again
	f, err := os.Open(t.path)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return err
	}
	if len(data) > maxFile {
		return fmt.Errorf("%s is longer than %d bytes", t.path, maxFile)
	}
	known, err := parse(string(data), t.role)
	if err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	t.known = known
	return nil
}

// parse reads tokens, one a line, perhaps behind a name. Errors show none.
func parse(text, role string) ([]token, error) {
	var out []token
	number := 0
	for line := range strings.Lines(text) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		name, secret := role, fields[len(fields)-1]
		if len(fields) > 1 {
			name = fields[0]
		}
		switch {
		case len(fields) > 2:
			return nil, fmt.Errorf("line %d: want NAME TOKEN or TOKEN", number)
		case len(secret) < shortest:
			return nil, fmt.Errorf("line %d: the token has less than %d characters; head -c 32 /dev/urandom | base64 makes one", number, shortest)
		}
		out = append(out, token{name: name, hash: sha256.Sum256([]byte(secret))})
	}
	if len(out) == 0 {
		return nil, errors.New("it holds no token; head -c 32 /dev/urandom | base64 makes one")
	}
	return out, nil
}
