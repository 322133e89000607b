package message

import (
	"net/http"
	"slices"
)

// hopByHop are the fields that speak about one connection only (RFC 9110,
// 7.6.1; HTTP2-Settings by RFC 7540, 3.2.1), by canonical name.
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings",
}

// HopByHop are the canonical names of the fields that speak about one
// connection only; Nominated gives the further ones that a message declares.
func HopByHop() []string { return slices.Clone(hopByHop) }

// IsHopByHop says whether a field speaks about one connection only. It takes a
// canonical name.
func IsHopByHop(name string) bool { return slices.Contains(hopByHop, name) }

// Nominated are the canonical names of the further fields that the values of
// Connection say to be hop by hop.
func Nominated(connection []string) []string {
	var names []string
	for option := range Elements(connection) {
		// close is an option, and no field.
		if name := http.CanonicalHeaderKey(option); name != "Close" && !IsHopByHop(name) {
			names = append(names, name)
		}
	}
	return names
}
