// Package names holds what is known about values that stand for things: which
// member of a document holds an identifier by its name, which text is one by
// its shape, whether the client itself had sent a value, and which names of two
// systems are those of the same thing, with what proves it.
//
// Two rooms rely on it: the comparator rewrites the baseline's answer into the
// candidate's names before it compares, and the replayer puts them into later
// requests. Being wrong hides a difference in one and sends a wrong request in
// the other, so what is in doubt is not an identifier.
package names

import "strings"

// identifiers are names that are identifiers as a whole, identifierEnds the
// last words of longer names, identifierHumps those of names in camel case.
var (
	identifiers     = set("id _id uuid guid uid ulid oid pk traceid spanid requestid")
	identifierEnds  = strings.Fields("_id -id _uuid -uuid _guid")
	identifierHumps = strings.Fields("Id ID Uuid UUID")
)

// handles and handleEnds are likewise names of values that a server makes and a
// client hands back without understanding them.
var (
	handles    = set("key ref etag cursor nonce")
	handleEnds = strings.Fields("_key _ref _token _cursor")
)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// IsIdentifier says whether a name is that of an identifier: id, order_id,
// orderId, orderID, uuid, … but not PAID.
func IsIdentifier(name string) bool {
	if listed(name, identifiers, identifierEnds) {
		return true
	}
	for _, hump := range identifierHumps {
		if head, ok := strings.CutSuffix(name, hump); ok && head != "" && !isUpper(head[len(head)-1]) {
			return true
		}
	}
	return false
}

func listed(name string, whole map[string]bool, ends []string) bool {
	lower := strings.ToLower(name)
	if whole[lower] {
		return true
	}
	for _, end := range ends {
		if strings.HasSuffix(lower, end) {
			return true
		}
	}
	return false
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// IsDigest says whether a name is that of a value which is computed from others:
// a checksum, a hash, a signature. It looks random and is not.
func IsDigest(name string) bool {
	lower := strings.ToLower(name)
	for _, word := range digests {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

var digests = strings.Fields("checksum hash digest signature md5 sha1 sha256 sha512 sha-1 sha-256 sha-512 crc32 hmac fingerprint")
