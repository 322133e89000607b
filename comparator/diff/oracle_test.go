package diff

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The oracle decodes in the most naive way, sharing nothing with the differ,
// and compares recursively. Objects are lists of members, because a repeated
// name is paired by occurrence.

type pair struct {
	name  string
	value any
}

// fields is a decoded object, num a decoded number in its canonical text.
type (
	fields []pair
	num    string
)

// decode reads a whole document; encoding/json has checked its grammar.
func decode(doc []byte) (any, bool) {
	if !json.Valid(doc) || !utf8.Valid(doc) || tooDeep(doc) {
		return nil, false
	}
	var compact bytes.Buffer
	if json.Compact(&compact, doc) != nil {
		return nil, false
	}
	d := &decoder{s: compact.String()}
	return d.value(), true
}

func tooDeep(doc []byte) bool {
	depth, inText := 0, false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

type decoder struct{ s string }

func (d *decoder) value() any {
	switch c := d.s[0]; c {
	case '{':
		out := fields{}
		d.s = d.s[1:]
		for d.s[0] != '}' {
			name := d.text()
			d.s = d.s[1:]
			out = append(out, pair{name, d.value()})
			d.s = strings.TrimPrefix(d.s, ",")
		}
		d.s = d.s[1:]
		return out
	case '[':
		out := []any{}
		d.s = d.s[1:]
		for d.s[0] != ']' {
			out = append(out, d.value())
			d.s = strings.TrimPrefix(d.s, ",")
		}
		d.s = d.s[1:]
		return out
	case '"':
		return d.text()
	}
	end := strings.IndexAny(d.s, ",]}")
	if end < 0 {
		end = len(d.s)
	}
	word := d.s[:end]
	d.s = d.s[end:]
	switch word {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	return canonical(word)
}

// text decodes a string by UTF-16 units; a surrogate that stands alone keeps
// its number.
func (d *decoder) text() string {
	var b strings.Builder
	d.s = d.s[1:]
	var high rune
	flush := func() {
		if high != 0 {
			b.WriteString("\uFFFD" + strconv.FormatInt(int64(high), 16))
			high = 0
		}
	}
	for d.s[0] != '"' {
		if d.s[0] != '\\' {
			flush()
			b.WriteByte(d.s[0])
			d.s = d.s[1:]
			continue
		}
		if d.s[1] != 'u' {
			flush()
			b.WriteString(map[byte]string{'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", '"': "\"", '\\': "\\", '/': "/"}[d.s[1]])
			d.s = d.s[2:]
			continue
		}
		u, _ := strconv.ParseUint(d.s[2:6], 16, 32)
		d.s = d.s[6:]
		r := rune(u)
		if high != 0 {
			if pair := utf16.DecodeRune(high, r); pair != utf8.RuneError {
				high = 0
				b.WriteRune(pair)
				continue
			}
			flush()
		}
		switch {
		case r >= 0xD800 && r < 0xDC00:
			high = r
		case r >= 0xDC00 && r < 0xE000:
			b.WriteString("\uFFFD" + strconv.FormatInt(int64(r), 16))
		default:
			b.WriteRune(r)
		}
	}
	flush()
	d.s = d.s[1:]
	return b.String()
}

// canonical is a number as digits and a power of ten, by big integers.
func canonical(word string) num {
	mantissa, exponent := strings.ToLower(word), "0"
	if i := strings.IndexByte(mantissa, 'e'); i >= 0 {
		mantissa, exponent = mantissa[:i], mantissa[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	power, _ := new(big.Int).SetString(exponent, 10)
	power.Sub(power, big.NewInt(int64(len(fraction))))
	n, _ := new(big.Int).SetString(whole+fraction, 10)
	if n.Sign() == 0 {
		return "0"
	}
	text := n.String()
	trimmed := strings.TrimRight(text, "0")
	power.Add(power, big.NewInt(int64(len(text)-len(trimmed))))
	return num(trimmed + "e" + power.String())
}

func oracleEqual(a, b any) bool {
	switch a := a.(type) {
	case fields:
		b, ok := b.(fields)
		if !ok || len(a) != len(b) {
			return false
		}
		left := slices.Clone(b)
		for _, m := range a {
			i := slices.IndexFunc(left, func(n pair) bool { return n.name == m.name })
			if i < 0 || !oracleEqual(m.value, left[i].value) {
				return false
			}
			left = slices.Delete(left, i, i+1)
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !oracleEqual(a[i], b[i]) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case fields, []any:
		return false
	}
	return a == b
}
