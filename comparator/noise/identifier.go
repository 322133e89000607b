package noise

import "strings"

// identifiers says whether one value renames the other: the name calls it an
// identifier, or both have the shape of generated ones, and the pairing is one
// to one within the record and the session.
func (e *Evidence) identifiers(name string, baseline, candidate Value) bool {
	b, c := baseline.Text, candidate.Text
	if baseline.Number {
		return identifierName(name) && allDigits(b) && allDigits(c) && e.consistent(b, c)
	}
	if identifierName(name) && generated(b) && generated(c) {
		return e.consistent(b, c)
	}
	return unique(b) && unique(c) && e.consistent(b, c)
}

// identifierNames are names that are identifiers as a whole; identifierEnds
// are the last words of longer names.
var (
	identifierNames = words("id _id uuid guid uid ulid key ref etag cursor nonce traceid spanid requestid")
	identifierEnds  = strings.Fields("_id -id _uuid -uuid _guid _key _ref _token _cursor")
)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

// identifierName: id, order_id, orderId, orderID, uuid, …
func identifierName(name string) bool {
	lower := strings.ToLower(name)
	if identifierNames[lower] {
		return true
	}
	for _, end := range identifierEnds {
		if strings.HasSuffix(lower, end) {
			return true
		}
	}
	for _, end := range []string{"Id", "ID", "Uuid", "UUID"} { // not PAID
		if head, ok := strings.CutSuffix(name, end); ok && head != "" && !upper(head[len(head)-1]) {
			return true
		}
	}
	return false
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

// generated: has a digit and no blank, so a word like USD or pending is none.
func generated(s string) bool {
	return len(s) <= 128 && strings.ContainsAny(s, "0123456789") && !strings.ContainsAny(s, " \t\n")
}

// identifier: the whole of a path segment is a number, a prefix with a number
// (ord_1001), a UUID, a ULID or long hexadecimal. v2 and 2024-05 are none.
func identifier(s string) bool {
	if unique(s) || len(s) >= 8 && isHex(s) || looksRandom(s) {
		return true
	}
	i := len(s)
	for i > 0 && s[i-1] >= '0' && s[i-1] <= '9' {
		i--
	}
	prefix := strings.ToLower(s[:i])
	if i == len(s) || prefix == "v" {
		return false
	}
	for _, c := range []byte(prefix) {
		if !(c >= 'a' && c <= 'z' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

// unique: the shape of a UUID or ULID, which nobody types.
func unique(s string) bool {
	switch len(s) {
	case 36:
		return s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && isHex(strings.ReplaceAll(s, "-", ""))
	case 26:
		return isCrockford(s) && strings.ContainsAny(s, "0123456789")
	}
	return false
}

// core is how many bytes of two random tokens must be left when what they
// begin and end with in common is taken away: a few hits are chance, a common
// stem is a meaning.
const core = 10

// random says whether two texts are tokens out of a generator: alike in length,
// each of mixed characters, and different nearly everywhere.
func random(b, c string) bool {
	if !looksRandom(b) || !looksRandom(c) || len(b) > 2*len(c) || len(c) > 2*len(b) {
		return false
	}
	head := 0
	for head < len(b) && head < len(c) && b[head] == c[head] {
		head++
	}
	tail := 0
	for tail < len(b)-head && tail < len(c)-head && b[len(b)-1-tail] == c[len(c)-1-tail] {
		tail++
	}
	return len(b)-head-tail >= core && len(c)-head-tail >= core
}

// looksRandom: at least 16 characters of hexadecimal, base64 or base64url in
// which digits, capitals and small letters change often. Words do not.
func looksRandom(s string) bool {
	if len(s) < 16 || len(s) > 1024 {
		return false
	}
	digits, letters, changes, last := 0, 0, 0, 0
	for _, c := range []byte(s) {
		class := 0
		switch {
		case c >= '0' && c <= '9':
			class = 1
			digits++
		case c >= 'a' && c <= 'z':
			class = 2
			letters++
		case upper(c):
			class = 3
			letters++
		case strings.IndexByte("-_+/=.", c) < 0:
			return false
		}
		if class != 0 && class != last {
			changes++
			last = class
		}
	}
	return digits >= 2 && letters >= 2 && changes*5 >= len(s)
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return s != ""
}

// isCrockford: Crockford's base 32, in which ULIDs are written.
func isCrockford(s string) bool {
	for _, c := range []byte(strings.ToUpper(s)) {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U') {
			return false
		}
	}
	return true
}
