package names

import (
	"encoding/base64"
	"iter"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Bounds of base64 that is opened.
const (
	shortestCode = 12 // bytes of the code
	maxCode      = 1 << 20
)

// maxEscapes is how often percent-encoding is undone.
const maxEscapes = 3

// Unescaped goes over what a text says without its percent-encoding, and without that
// which is left then, up to three times: a link within a link within a link.
func Unescaped(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for range maxEscapes {
			plain, err := url.PathUnescape(text)
			if err != nil || plain == text || !yield(plain) {
				return
			}
			text = plain
		}
	}
}

// Coded yields what the words of a text say that are base64 of a text, of either
// alphabet, with or without padding; from and to are where such a word stands.
func Coded(text string, yield func(from, to int, plain string)) {
	for at := 0; at < len(text); {
		if !inCode(text[at]) {
			at++
			continue
		}
		from := at
		for at < len(text) && inCode(text[at]) {
			at++
		}
		for at < len(text) && text[at] == '=' { // what pads a code, or ends the name of one: cursor=…
			at++
		}
		if at-from < shortestCode {
			if plain, ok := count(text[from:at]); ok {
				yield(from, at, plain)
			}
			continue
		}
		pieces(text, from, at, "/-_", yield)
	}
}

// leastCode is the length of base64 of a number of two digits, without padding, in
// bytes.
const leastCode = 3

// count decodes short base64 of a number, alone or behind a word: 1001, id:17. What
// else is so short may be a word itself.
func count(code string) (plain string, ok bool) {
	code = strings.TrimRight(code, "=")
	if len(code) < leastCode || !isMixedCase(code) {
		return "", false
	}
	var out [shortestCode]byte
	n, err := base64.RawStdEncoding.Decode(out[:], []byte(code))
	if err != nil {
		return "", false
	}
	at := 0
	for at < n && classes[out[at]]&aLetter != 0 {
		at++
	}
	if at > 0 && at < n && strings.IndexByte(":=/#-_", out[at]) >= 0 {
		at++
	} else if at > 0 {
		return "", false
	}
	return string(out[:n]), n-at >= 2 && IsDigits(string(out[at:n]))
}

// isMixedCase says whether a text has capitals and small letters.
func isMixedCase(s string) bool {
	capitals, small := false, false
	for i := range len(s) {
		capitals, small = capitals || isUpper(s[i]), small || s[i] >= 'a' && s[i] <= 'z'
	}
	return capitals && small
}

// pieces decodes a word, or else what one of the separators separates in it: the
// segments of a path, say.
func pieces(text string, from, to int, separators string, yield func(from, to int, plain string)) {
	if to-from < shortestCode-1 {
		return
	}
	if plain, ok := Decode(text[from:to]); ok {
		yield(from, to, plain)
		return
	}
	if separators == "" || !strings.ContainsAny(text[from:to], separators) {
		return
	}
	by, rest := "/", separators[1:]
	if separators[0] != '/' {
		by, rest = separators, ""
	}
	for from < to {
		end := to
		if i := strings.IndexAny(text[from:to], by); i >= 0 {
			end = from + i
		}
		pieces(text, from, end, rest, yield)
		from = end + 1
	}
}

func inCode(c byte) bool {
	return classes[c]&(aDigit|aLetter) != 0 || c == '+' || c == '/' || c == '-' || c == '_'
}

// Decode decodes base64 of a text in UTF-8 without control characters, of either
// alphabet, with or without padding, up to 1 MiB.
func Decode(code string) (plain string, ok bool) {
	code = strings.TrimRight(code, "=")
	if code == "" || len(code) > maxCode {
		return "", false
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(code, "-_") {
		encoding = base64.RawURLEncoding
	}
	if len(code) >= 8 { // few words get beyond this
		var first [6]byte
		if n, err := encoding.Decode(first[:], []byte(code[:8])); err != nil || !isText(first[:n], false) {
			return "", false
		}
	}
	out, err := encoding.DecodeString(code)
	if err != nil || !isText(out, true) {
		return "", false
	}
	return string(out), true
}

// isText says whether bytes are readable; whole: they are not cut.
func isText(b []byte, whole bool) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return false
		}
	}
	for cut := 0; !whole && cut < min(utf8.UTFMax-1, len(b)) && !utf8.Valid(b); cut++ {
		b = b[:len(b)-1] // of a character that is cut
	}
	return utf8.Valid(b)
}
