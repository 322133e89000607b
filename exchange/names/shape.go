package names

import (
	"strconv"
	"strings"
)

// IsGenerated says whether a text could have been made by a machine to name
// something: it has a digit and nothing that separates words, so USD or pending
// are not; nor is a decimal (129.90 and 129.9 are one amount, not two names). A
// run of digits is, and so is hexadecimal that reads as a number (12e4).
func IsGenerated(s string) bool {
	c := classOf(s)
	return c&aDigit != 0 && c&aBlank == 0 && !isDecimal(s)
}

// class says which classes of characters are in a text.
type class uint8

const (
	aDigit class = 1 << iota
	aLetter
	aJoint // what joins words: _ - :
	aBlank // what separates words, and what cannot be printed
	aMark  // what stands in no name: " <
)

var classes [256]class

func init() {
	for c := range classes {
		switch c := byte(c); {
		case isDigit(c):
			classes[c] = aDigit
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			classes[c] = aLetter
		case c <= ' ' || c == 0x7f:
			classes[c] = aBlank
		case c == '_' || c == '-' || c == ':':
			classes[c] = aJoint
		case c == '"' || c == '<':
			classes[c] = aMark
		}
	}
}

func classOf(s string) (c class) {
	for i := range len(s) {
		c |= classes[s[i]]
	}
	return c
}

func hasDigit(s string) bool { return classOf(s)&aDigit != 0 }

func isDecimal(s string) bool {
	if !strings.ContainsAny(s, ".+-") || !mayBeDecimal(s) {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// mayBeDecimal is a look before ParseFloat, which is dear where it fails: a
// number, an infinity or none begins so, and has a sign only before its digits
// or those of its exponent.
func mayBeDecimal(s string) bool {
	if s[0] == '+' || s[0] == '-' {
		s = s[1:]
	}
	if s == "" || !isDigit(s[0]) && strings.IndexByte(".iInN", s[0]) < 0 {
		return false
	}
	for i := 1; i < len(s); i++ {
		if (s[i] == '+' || s[i] == '-') && s[i-1]|0x20 != 'e' && s[i-1]|0x20 != 'p' {
			return false
		}
	}
	return true
}

// IsSegment says whether the shape of a whole path segment alone tells that it
// was generated: a number, a prefix with a number (ord_1001), a UUID, a ULID,
// long hexadecimal or a random token. v2 and 2024-05 are not.
func IsSegment(s string) bool {
	if IsUnique(s) || len(s) >= 8 && isHex(s) || looksRandom(s) {
		return true
	}
	prefix := trimDigits(s)
	if len(prefix) == len(s) || prefix == "v" || prefix == "V" {
		return false
	}
	for i := range len(prefix) {
		if c := prefix[i]; c|0x20 < 'a' || c|0x20 > 'z' {
			if c != '_' && c != '-' {
				return false
			}
		}
	}
	return true
}

// trimDigits takes the digits away in which a text ends.
func trimDigits(s string) string {
	for s != "" && isDigit(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// IsVersion tells whether a segment is a version: v2, as the first segment of a path often is.
func IsVersion(s string) bool {
	return len(s) > 1 && (s[0] == 'v' || s[0] == 'V') && IsDigits(s[1:])
}

// IsDate tells whether a text is a date: 2024-05 or 2024-05-17, with or without a time after it.
func IsDate(s string) bool {
	if len(s) != 7 && len(s) < 10 {
		return false
	}
	for i := range min(len(s), 10) {
		if dash := i == 4 || i == 7; dash != (s[i] == '-') || !dash && !isDigit(s[i]) {
			return false
		}
	}
	return len(s) <= 10 || s[10] == 'T' || s[10] == '_' || s[10] == '%'
}

// IsDigits says whether a text is an integer without a sign.
func IsDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// IsUnique tells whether a text has the shape of a UUID or ULID, which nobody types.
func IsUnique(s string) bool {
	return IsUUID(s) || len(s) == 26 && isCrockford(s) && hasDigit(s)
}

// IsUUID tells whether a text is 8-4-4-4-12 hexadecimal digits.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !isHexDigit(s[i]) {
			return false
		}
	}
	return true
}

// SameSeries says whether two names could have been counted by one counter: the
// same letters before other digits (ord_1001 and ord_2044), at the
// end, two or more of them behind a separator, three or more behind a letter. tier1 and tier2 are not.
func SameSeries(a, b string) bool {
	ha, hb := trimDigits(a), trimDigits(b)
	na, nb := len(a)-len(ha), len(b)-len(hb)
	if ha != hb || ha == "" {
		return false
	}
	least := 3
	if strings.ContainsAny(ha[len(ha)-1:], "_-:/") {
		least = 2
	}
	return na >= least && nb >= least
}

// scheme is how a system makes its names.
type scheme uint8

const (
	ofWord scheme = iota // letters, and what joins words
	ofDigits
	ofSeries // letters and then digits
	ofUUID
	ofULID
	ofHex
	ofRandom
	ofMixed
)

func schemeOf(s string) scheme {
	switch {
	case IsDigits(s):
		return ofDigits
	case IsUUID(s):
		return ofUUID
	case IsUnique(s):
		return ofULID
	case !hasDigit(s):
		return ofWord
	case trimDigits(s) != s && !hasDigit(trimDigits(s)):
		return ofSeries
	case len(s) >= 16 && isHex(s):
		return ofHex
	case looksRandom(s):
		return ofRandom
	}
	return ofMixed
}

// OtherSchemes says whether two names are made in different ways, as 5048 and
// cus_sX25UYv4HAvHEO are: then one is not the name of another thing in the
// system of the other. A number of fewer than four digits may be a choice out
// of a few, and two words differ in no scheme.
func OtherSchemes(a, b Value) bool {
	if !CanName(a) || !CanName(b) {
		return false
	}
	x, y := schemeOf(a.Text), schemeOf(b.Text)
	few := func(s scheme, text string) bool { return s == ofDigits && len(text) < selfEvident }
	return x != y && !few(x, a.Text) && !few(y, b.Text)
}

// leastDifferent is how many bytes of two random tokens must be left when what
// they begin and end with in common is taken away: a few hits are chance, a
// common stem is a meaning.
const leastDifferent = 10

// AreRandom says whether two texts are tokens out of a generator: alike in
// length, each of mixed characters, and different nearly everywhere.
func AreRandom(a, b string) bool {
	switch {
	case len(a) > 2*len(b) || len(b) > 2*len(a):
		return false
	case looksRandom(a) && looksRandom(b):
	// One out of some happens to have no digit.
	case len(a) == len(b) && (looksRandom(a) && isMixed(b) || looksRandom(b) && isMixed(a)):
	default:
		return false
	}
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return len(a)-head-tail >= leastDifferent && len(b)-head-tail >= leastDifferent && !haveOtherWords(a, b)
}

// haveOtherWords says whether a part between dots is one word here and another one
// there, which no generator makes: user.A8s7… and admin.q9W8….
func haveOtherWords(a, b string) bool {
	if !strings.Contains(a, ".") || strings.Count(a, ".") != strings.Count(b, ".") {
		return false
	}
	isWord := func(s string) bool {
		return len(s) > 2 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-_") == ""
	}
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range as {
		if as[i] != bs[i] && isWord(as[i]) && isWord(bs[i]) {
			return true
		}
	}
	return false
}

// looksRandom: at least 16 characters of hexadecimal, base64 or base64url in
// which digits, capitals and small letters change often. Words do not.
func looksRandom(s string) bool {
	digits, letters, changes := mixture(s)
	return letters >= 2 && (digits >= 2 && changes*5 >= len(s) || digits == 1 && len(s) >= 18 && changes*3 >= len(s))
}

// isMixed says whether capitals and small letters change so often that they
// make no words.
func isMixed(s string) bool {
	_, letters, changes := mixture(s)
	return letters >= 18 && changes*3 >= len(s)
}

// mixture counts digits, letters, and how often digits, capitals and small
// letters change; nothing of a text that no token is.
func mixture(s string) (digits, letters, changes int) {
	if len(s) < 16 || len(s) > 1024 {
		return 0, 0, 0
	}
	last := 0
	for i := range len(s) {
		c, class := s[i], 0
		switch {
		case isDigit(c):
			class = 1
			digits++
		case c >= 'a' && c <= 'z':
			class = 2
			letters++
		case isUpper(c):
			class = 3
			letters++
		case strings.IndexByte("-_+/=.", c) < 0:
			return 0, 0, 0
		}
		if class != 0 && class != last {
			changes++
			last = class
		}
	}
	return digits, letters, changes
}

// IsRandom says whether a text looks as if it came out of a generator of random
// characters.
func IsRandom(s string) bool {
	return looksRandom(s) || len(s) >= 16 && isHex(s) && hasDigit(s)
}

func isDigit(c byte) bool    { return c >= '0' && c <= '9' }
func isHexDigit(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func isHex(s string) bool {
	for i := range len(s) {
		if !isHexDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// isCrockford: Crockford's base 32, in which ULIDs are written.
func isCrockford(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if !(isDigit(c) || isUpper(c) && strings.IndexByte("ILOU", c) < 0) {
			return false
		}
	}
	return true
}

// CanName says whether a value can be the name of a thing at all: not zero, nil,
// a date, an amount or a text with blanks.
func CanName(v Value) bool {
	s := v.Text
	if s == "" || len(s) > maxName {
		return false
	}
	c := classOf(s)
	switch {
	case v.Number:
		return IsDigits(s) && !isZero(s)
	case c&(aBlank|aMark) != 0 || isZero(s):
		return false
	case IsDate(s), isDecimal(s), IsLink(s):
		return false
	}
	return !isNothing(s)
}

// isZero: 0, 000, 0000-0000 and the like.
func isZero(s string) bool {
	for i := range len(s) {
		if s[i] != '0' && s[i] != '-' {
			return false
		}
	}
	return true
}

// isNothing says whether a text stands for the lack of a name, on its own or
// behind a prefix: None, ord_undefined, ord_, {id}.
func isNothing(s string) bool {
	joint := -1 // the last one
	for i := range len(s) {
		switch s[i] {
		case '{', '}', '[', ']', '$', '%', '<', '>', '|':
			return true
		case '_', '-', ':', '.', '/':
			joint = i
		}
	}
	if joint >= 0 {
		prefix := s[:joint]
		if s = s[joint+1:]; s == "" && (prefix == "" || strings.ContainsFunc(prefix, func(c rune) bool { return c < 'a' || c > 'z' })) {
			return prefix == "" // a random name may end so
		}
	}
	return len(s) <= longestNothing && nothings[strings.ToLower(s)]
}

var (
	nothings       = map[string]bool{"": true}
	longestNothing int // in bytes
)

func init() {
	for word := range set("none nil null nan undefined unknown error empty missing na n/a todo tbd test example object false true invalid default") {
		nothings[word] = true
		longestNothing = max(longestNothing, len(word))
	}
}
