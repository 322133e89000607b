package operation

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"understudy.dev/exchange/message"
)

// maxLocation bounds the address of a status monitor, in bytes.
const maxLocation = 8 << 10

// ErrForeign is wrapped when a system points to an address that must not be
// called.
var ErrForeign = errors.New("location refused")

// Hosts are those that a Location may point to.
type Hosts struct {
	// Base is the system that was asked.
	Base *url.URL
	// Others are further hosts, "host:port".
	Others []string
}

// Resolve makes an address that the system gave absolute. It refuses one that
// is neither on the system itself nor on one of Others, with an error that
// wraps ErrForeign: a candidate must not be able to make a replay call other
// systems.
func (h Hosts) Resolve(from *url.URL, location string) (*url.URL, error) {
	if len(location) > maxLocation {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrForeign, len(location))
	}
	ref, err := url.Parse(strings.TrimSpace(location))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not a URL", ErrForeign)
	}
	u := from.ResolveReference(ref)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%w: scheme %q", ErrForeign, u.Scheme)
	case u.User != nil:
		return nil, fmt.Errorf("%w: it has user information", ErrForeign)
	case h.Own(u), slices.Contains(h.Others, hostPort(u)):
		return u, nil
	}
	return nil, fmt.Errorf("%w: %s is not the candidate %s", ErrForeign, hostPort(u), hostPort(h.Base))
}

// Own reports whether an address is of the origin of the system that was asked:
// its scheme, host and port.
func (h Hosts) Own(u *url.URL) bool {
	return u.Scheme == h.Base.Scheme && hostPort(u) == hostPort(h.Base)
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = message.DefaultPort(u.Scheme)
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// RequestURL is the base of relative references in the answer to a request to
// u. It reads u.Opaque too, in which a request carries its path byte for byte.
func RequestURL(u *url.URL) *url.URL {
	base := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	if u.Opaque == "" {
		base.Path, base.RawPath = u.Path, u.RawPath
		return base
	}
	if ref, err := url.Parse(u.Opaque); err == nil && ref.Host == "" {
		return base.ResolveReference(ref)
	}
	return base
}
