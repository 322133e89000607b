package wire

// Kind tells the fields apart that are about framing or one connection.
type Kind uint8

// Kinds of fields; every other is Other.
const (
	Other Kind = iota
	Host
	Connection
	ContentLength
	TransferEncoding
	Trailer
	TE
	Upgrade
	Expect
	KeepAlive
	ProxyConnection
	HTTP2Settings
	ForwardedFor
	ForwardedHost
	ForwardedProto
)

// HopByHop reports whether fields of the kind are about one connection only
// (RFC 9110, 7.6.1). Transfer-Encoding and Trailer are too, but belong to the
// framing, which a proxy may keep.
func (k Kind) HopByHop() bool {
	switch k {
	case Connection, TE, Upgrade, KeepAlive, ProxyConnection, HTTP2Settings:
		return true
	}
	return false
}

// framing reports whether a field says where a message ends, or whose it is:
// what Connection nominates never takes it away.
func (k Kind) framing() bool {
	return k == Host || k == ContentLength || k == TransferEncoding || k == Trailer
}

// inTrailer reports whether fields of the kind may stand in a trailer section: not
// if a recipient could take them for the message's framing or address (RFC 9110,
// 6.5.1).
func (k Kind) inTrailer() bool { return !k.framing() && !k.HopByHop() && k != Expect }

var kinds = [...]struct {
	name string
	kind Kind
}{
	{"host", Host}, {"connection", Connection}, {"content-length", ContentLength}, {"transfer-encoding", TransferEncoding},
	{"trailer", Trailer}, {"te", TE}, {"upgrade", Upgrade}, {"expect", Expect}, {"keep-alive", KeepAlive},
	{"proxy-connection", ProxyConnection}, {"http2-settings", HTTP2Settings}, {"x-forwarded-for", ForwardedFor},
	{"x-forwarded-host", ForwardedHost}, {"x-forwarded-proto", ForwardedProto},
}

// byLength are the indices of kinds by the length of their names.
var byLength = func() (t [20][]uint8) {
	for i, k := range kinds {
		t[len(k.name)] = append(t[len(k.name)], uint8(i))
	}
	return t
}()

func kindOf(name []byte) Kind {
	if len(name) >= len(byLength) {
		return Other
	}
	for _, i := range byLength[len(name)] {
		if equalFold(name, kinds[i].name) {
			return kinds[i].kind
		}
	}
	return Other
}
