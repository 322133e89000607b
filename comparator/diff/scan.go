package diff

import (
	"encoding/binary"
	"math/bits"
)

// space gives the position of the first byte from i on that is no white space.
func space(data []byte, i int) int {
	for i < len(data) && data[i] <= ' ' && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
		i++
	}
	return i
}

// key is where the name of a member stands, without its quotes.
type key struct {
	start, end int32
	escaped    bool
}

// passKey passes a name and its colon up to the value.
func passKey(data []byte, i int) (key, int, error) {
	if i >= len(data) || data[i] != '"' {
		return key{}, i, syntax("expected a name", i)
	}
	end, escaped, what := passText(data, i)
	if what != "" {
		return key{}, end, syntax(what, end)
	}
	k := key{int32(i + 1), int32(end - 1), escaped}
	if end >= len(data) || data[end] != ':' {
		if end = space(data, end); end >= len(data) || data[end] != ':' {
			return k, end, syntax("expected a colon", end)
		}
	}
	return k, space(data, end+1), nil
}

// Eight bytes are looked at in one word: ones, the high bits, and the bytes
// that end the plain part of a string.
const (
	ones      = 0x0101010101010101
	highs     = 0x8080808080808080
	quotes    = ones * '"'
	slashes   = ones * '\\'
	firstText = ones * ' '
)

// passText passes the string that begins at i and tells whether it has
// escapes; what says what is wrong with it, at the position returned.
func passText(data []byte, i int) (end int, escaped bool, what string) {
	i++
	for {
		for i+8 <= len(data) {
			// The lowest marked byte is exact; only those above it can be
			// marked wrongly, by a borrow.
			x := binary.LittleEndian.Uint64(data[i:])
			q, s := x^quotes, x^slashes
			if m := ((q-ones)&^q | (s-ones)&^s | (x-firstText)&^x) & highs; m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		for i < len(data) && data[i] >= ' ' && data[i] != '"' && data[i] != '\\' {
			i++
		}
		switch {
		case i >= len(data):
			return i, escaped, "unterminated string"
		case data[i] == '"':
			return i + 1, escaped, ""
		case data[i] != '\\':
			return i, escaped, "control character in a string"
		}
		n := escapeLength(data[i:])
		if n == 0 {
			return i, escaped, "invalid escape"
		}
		escaped = true
		i += n
	}
}

// escapeLength is the length of the escape at the start of s, 0 if it is none.
func escapeLength(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) >= 6 && hex(s[2]) >= 0 && hex(s[3]) >= 0 && hex(s[4]) >= 0 && hex(s[5]) >= 0 {
			return 6
		}
	}
	return 0
}

func hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// passWord passes true, false or null.
func passWord(data []byte, i int) (k kind, end int, what string) {
	for _, w := range [...]struct {
		text string
		kind kind
	}{{"true", boolean}, {"false", boolean}, {"null", null}} {
		if end = i + len(w.text); end <= len(data) && string(data[i:end]) == w.text {
			return w.kind, end, ""
		}
	}
	return null, i, "no value"
}

// passNumber passes a number.
func passNumber(data []byte, i int) (end int, what string) {
	if i < len(data) && data[i] == '-' {
		i++
	}
	from := i
	if i < len(data) && data[i] == '0' {
		i++
	} else if i = digits(data, i); i == from {
		return from, "no value"
	}
	if i < len(data) && data[i] == '.' {
		from = i + 1
		if i = digits(data, from); i == from {
			return i, "expected digits"
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		from = i
		if i = digits(data, from); i == from {
			return i, "expected digits"
		}
	}
	return i, ""
}

func digits(data []byte, i int) int {
	for i < len(data) && data[i]-'0' <= 9 {
		i++
	}
	return i
}
