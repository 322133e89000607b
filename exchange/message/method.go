package message

import (
	"net/http"
	"slices"
	"strings"
)

// IsSafe reports whether a method is safe: with it a client does not ask for
// any change (RFC 9110, 9.2.1).
func IsSafe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// idempotencyKeys are the fields, by canonical name, with which a client marks
// a request so that the server acts on it once however often it comes: the
// IETF's draft-ietf-httpapi-idempotency-key-header and the older custom name.
// net/http's Transport knows the same two.
var idempotencyKeys = [...]string{"Idempotency-Key", "X-Idempotency-Key"}

// IsIdempotencyKey reports whether a field, in any case, carries an idempotency
// key.
func IsIdempotencyKey(name string) bool {
	return slices.ContainsFunc(idempotencyKeys[:], func(key string) bool { return strings.EqualFold(key, name) })
}

// IdempotencyKey is the idempotency key among fields with canonical names, ""
// if there is none.
func IdempotencyKey(h http.Header) string { return IdempotencyKeyOf(h.Values) }

// IdempotencyKeyOf is the same where fields are found by their name.
func IdempotencyKeyOf(values func(name string) []string) string {
	for _, name := range idempotencyKeys {
		if found := values(name); len(found) > 0 && found[0] != "" {
			return found[0]
		}
	}
	return ""
}

// SendOnce keeps net/http's Transport from sending an unsafe request again
// after a connection broke. The Transport takes an idempotency key as
// permission to do so, but knows the fields by their canonical spelling only,
// so SendOnce writes them in lower case; to the receiver case does not matter.
func SendOnce(h http.Header) {
	for _, name := range idempotencyKeys {
		if values, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
}
