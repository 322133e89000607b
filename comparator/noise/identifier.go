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
	return shape(b) == shape(c) && unique(b) && unique(c) && e.consistent(b, c)
}

// identifierName: id, order_id, orderId, uuid, …
func identifierName(name string) bool {
	lower := strings.ToLower(name)
	switch lower {
	case "id", "_id", "uuid", "guid", "uid", "ulid", "key", "ref", "etag", "cursor", "nonce", "traceid", "spanid", "requestid":
		return true
	}
	for _, suffix := range []string{"_id", "-id", "_uuid", "_key", "_ref", "_token", "_cursor"} {
		if strings.HasSuffix(lower, suffix) {
			return true
		}
	}
	return strings.HasSuffix(name, "Id") || strings.HasSuffix(name, "ID") || strings.HasSuffix(name, "Uuid")
}

// generated: has a digit and no blank, so a word like USD or pending is none.
func generated(s string) bool {
	return len(s) <= 128 && strings.ContainsAny(s, "0123456789") && !strings.ContainsAny(s, " \t\n")
}

// unique: the shape of a UUID or ULID, which nobody types.
func unique(s string) bool {
	sh := shape(s)
	return sh == "uuid" || sh == "ulid"
}

// random: at least 16 characters of hex or base64 with digits and letters.
func random(s string) bool {
	if len(s) < 16 || len(s) > 1024 {
		return false
	}
	digits, letters := 0, 0
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			letters++
		case strings.IndexByte("-_+/=.", c) >= 0:
		default:
			return false
		}
	}
	return digits >= 2 && letters >= 2 && digits*12 >= len(s)
}

// shape names the form of a generated value: uuid, ulid, or its length with
// the kinds of characters it uses.
func shape(s string) string {
	switch {
	case len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && isHex(strings.ReplaceAll(s, "-", "")):
		return "uuid"
	case len(s) == 26 && isCrockford(s):
		return "ulid"
	case isHex(s):
		return "hex/" + bucket(len(s))
	}
	return "text/" + bucket(len(s))
}

func bucket(n int) string { return string(rune('a' + min(n/4, 25))) }

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
