package route

import (
	"strings"

	"understudy.dev/exchange/names"
)

// fold returns the segment itself, or the placeholder for what it looks like:
//
//	{uuid}   8-4-4-4-12 hexadecimal digits
//	{date}   2006-01-02, with or without a time after it
//	{id}     a number; a word, one separator and a number of 3 digits or more
//	         (user-123); a run of 8 digits anywhere; 8 or more hexadecimal
//	         digits with a decimal one among them; 16 or more letters and
//	         digits with 3 digits among them; 20 or more that alternate often, or
//	         whose case does as in no word
//	{long}   anything over 40 bytes, and anything that is not plain ASCII or is
//	         percent-encoded
//
// A file extension of up to 5 letters stays: 123.json is {id}.json.
func fold(s string) string {
	if s == "" {
		return s
	}
	if base, ext, ok := extension(s); ok {
		if f := fold(base); f != base {
			return f + ext
		}
	}
	switch {
	case names.IsUUID(s):
		return "{uuid}"
	case len(s) >= 10 && names.IsDate(s):
		return "{date}"
	case isID(s):
		return "{id}"
	case len(s) > maxLiteral || !plain(s):
		return "{long}"
	}
	return s
}

func extension(s string) (base, ext string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i <= 0 || len(s)-i-1 < 1 || len(s)-i-1 > 5 {
		return "", "", false
	}
	for _, c := range []byte(s[i+1:]) {
		if !isLetter(c) {
			return "", "", false
		}
	}
	return s[:i], s[i:], true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isHex(c byte) bool    { return isDigit(c) || ('a' <= c|0x20 && c|0x20 <= 'f') }

// isID is less strict than names.IsSegment: here it costs little to take a word
// for an identifier, but every identifier taken for a word becomes a route.
func isID(s string) bool {
	var digits, letters, hex, other, run, longest int
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			digits++
			run++
			longest = max(longest, run)
		case isLetter(c):
			letters++
			run = 0
		case c == '-' || c == '_' || c == '~' || c == ':' || c == '=' || c == '.' || c == '+':
			other++
			run = 0
		default:
			return false
		}
		if isHex(s[i]) {
			hex++
		}
	}
	switch {
	case other == 0 && len(s) >= 20 && isJumble(s):
		return true
	case digits == 0:
		return false
	case letters == 0:
		return other < digits // 42, 3.14, 10-20, but not a version such as v2
	case hex == len(s) && len(s) >= 8:
		return true
	case other == 0 && digits+letters >= 16 && digits >= 3:
		return true
	case longest >= 8:
		return true // something-20220719043700-else
	case other == 1 && longest >= 3 && prefixed(s):
		return true // order-1042
	}
	return digits+letters >= 20 && digits >= 4 && longest*3 < len(s) && mixed(s)
}

// prefixed reports whether a number stands before or after the one separator.
func prefixed(s string) bool {
	i := strings.IndexAny(s, "-_:~")
	return i >= 0 && (names.IsDigits(s[i+1:]) || names.IsDigits(s[:i]))
}

// mixed reports whether letters and digits alternate often, as in random text.
func mixed(s string) bool {
	changes := 0
	for i := 1; i < len(s); i++ {
		if isDigit(s[i]) != isDigit(s[i-1]) {
			changes++
		}
	}
	return changes >= 6
}

// isJumble reports whether small letters, capitals and digits alternate more often
// than in words that are written together (getAllOpenOrders).
func isJumble(s string) bool {
	class := func(c byte) int {
		switch {
		case isDigit(c):
			return 0
		case c >= 'a':
			return 1
		}
		return 2
	}
	changes, capitals, digits := 0, 0, 0
	for i := 1; i < len(s); i++ {
		a, b := class(s[i-1]), class(s[i])
		if a != b {
			changes++
		}
		if a == 2 && b == 2 {
			capitals++
		}
		if b == 0 {
			digits++
		}
	}
	return changes*9 >= len(s)*4 && (digits > 0 || capitals > 1)
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '%' {
			return false
		}
	}
	return true
}
