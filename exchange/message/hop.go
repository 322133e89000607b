package message

import (
	"net/http"
	"slices"
)

// hopByHop are the fields that are about one connection only (RFC 9110, 7.6.1;
// HTTP2-Settings by RFC 7540, 3.2.1), by canonical name.
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings",
}

// HopByHop returns the canonical names of the fields that are about one
// connection only; Nominated gives the further ones that a message declares.
func HopByHop() []string { return slices.Clone(hopByHop) }

// IsHopByHop reports whether a field, given by its canonical name, is about one
// connection only.
func IsHopByHop(name string) bool { return slices.Contains(hopByHop, name) }

// Nominated returns the canonical names of the further fields that the values
// of Connection declare to be hop-by-hop.
func Nominated(connection []string) []string {
	var names []string
	for option := range Elements(connection) {
		// close is an option, not the name of a field.
		if name := http.CanonicalHeaderKey(option); name != "Close" && !IsHopByHop(name) {
			names = append(names, name)
		}
	}
	return names
}

// DigestFields are the canonical names of the fields that are digests of the body of
// a message (RFC 9530, RFC 3230, RFC 1864).
func DigestFields() []string {
	return []string{"Content-Md5", "Digest", "Content-Digest", "Repr-Digest"}
}
