package message

import (
	"net/http"
	"strings"
)

// IsSafe reports the methods by which a client asks for nothing to change (RFC
// 9110, 9.2.1).
func IsSafe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// SendOnce keeps net/http's Transport from sending an unsafe request again
// after a connection broke: it takes these two fields for permission, but
// knows them by their canonical spelling alone. Case does not matter to the
// receiver.
func SendOnce(h http.Header) {
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
}
