package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/engine"
)

// serverIdentity is what the server's hello says.
type serverIdentity struct {
	major, minor, patch uint64
	timezone            string
	display             string
}

// engineInfo caches what the engine reports about itself.
type engineInfo struct {
	backend Engine

	mu       sync.Mutex
	self     *serverIdentity
	settings map[string]bool
}

func (f *engineInfo) identity(ctx context.Context) (serverIdentity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.self != nil {
		return *f.self, nil
	}
	rows, err := askStrings(ctx, f.backend, engine.Request{SQL: "SELECT version(), timezone(), hostName()"})
	if err != nil {
		return serverIdentity{}, err
	}
	if len(rows) != 1 || len(rows[0]) != 3 {
		return serverIdentity{}, errors.New("the engine did not tell its version")
	}
	id := serverIdentity{timezone: rows[0][1], display: rows[0][2]}
	parts := strings.SplitN(rows[0][0], ".", 4)
	for i, number := range []*uint64{&id.major, &id.minor, &id.patch} {
		if i < len(parts) {
			// A part that is not a number stays 0: this is informational only.
			*number, _ = strconv.ParseUint(parts[i], 10, 32)
		}
	}
	f.self = &id
	return id, nil
}

// knows reports whether the engine has a setting of this name.
func (f *engineInfo) knows(ctx context.Context, name string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.settings == nil {
		rows, err := askStrings(ctx, f.backend, engine.Request{SQL: "SELECT name FROM system.settings"})
		if err != nil {
			return false, err
		}
		f.settings = make(map[string]bool, len(rows))
		for _, row := range rows {
			f.settings[row[0]] = true
		}
	}
	return f.settings[name], nil
}

// maxStrings bounds the answer to a question of the protocol's own.
const maxStrings = 1 << 20

// askStrings runs a statement whose columns are all String and returns its
// rows.
func askStrings(ctx context.Context, backend Engine, request engine.Request) (rows [][]string, err error) {
	result, err := backend.Query(ctx, request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	t := blocks.NewScanner(result)
	for {
		if _, err := t.Peek(1); errors.Is(err, io.EOF) {
			return rows, nil
		} else if err != nil {
			return nil, err
		}
		block, err := readStrings(t)
		if err != nil {
			return nil, fmt.Errorf("reading the answer to %.100q: %w", request.SQL, err)
		}
		rows = append(rows, block...)
	}
}

func readStrings(t *blocks.Scanner) ([][]string, error) {
	r := blocks.Reader{In: t}
	columns, count := r.Uvarint(), r.Uvarint()
	if r.Err == nil && (columns > blocks.MaxTopColumns || count > maxStrings || columns*count > maxStrings) {
		return nil, blocks.Malformed("%d columns of %d rows are too many", columns, count)
	}
	if r.Err != nil {
		return nil, r.Err
	}
	rows := make([][]string, count)
	for range columns {
		r.Str("the name of a column", blocks.MaxNameBytes)
		if kind := r.Str("the type of a column", blocks.MaxTypeBytes); r.Err == nil && count > 0 && kind != "String" {
			return nil, blocks.Malformed("a column is %.100s, not String", kind)
		}
		for i := range rows {
			rows[i] = append(rows[i], r.Str("a value", blocks.MaxTypeBytes))
		}
	}
	return rows, r.Err
}
