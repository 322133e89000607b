package token

import (
	"fmt"
	"os"
	"strings"
)

// Keys are those that may have made the tokens one meets, the one that makes new
// ones first.
type Keys []*Key

// Parse reads keys, one a line: the first makes new tokens, the others are former
// ones. An empty text gives a random key.
func Parse(text string) (Keys, error) {
	var out Keys
	for number, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		k, err := New([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		k, err := New(nil)
		return Keys{k}, err
	}
	return out, nil
}

// maxFile bounds a file of keys, in bytes.
const maxFile = 64 << 10

// Read reads keys from a file, see Parse. A file without a key is an error, since
// a random key would be a surprise.
func Read(file string) (Keys, error) {
	f, err := os.ReadFile(file)
	switch {
	case err != nil:
		return nil, err
	case len(f) > maxFile:
		return nil, fmt.Errorf("%s: more than %d bytes are no file of keys", file, maxFile)
	case strings.TrimSpace(string(f)) == "":
		return nil, fmt.Errorf("%s: no key in it; it holds one a line, the current one first", file)
	}
	keys, err := Parse(string(f))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return keys, nil
}

// Current is the key that makes new tokens.
func (ks Keys) Current() *Key { return ks[0] }
