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

// ErrForeign is wrapped when the other side points where nobody must be led.
var ErrForeign = errors.New("location refused")

// Hosts are those that a Location may name.
type Hosts struct {
	// Base is the system that was asked.
	Base *url.URL
	// Others are further hosts, "host:port".
	Others []string
}

// Resolve makes an address that the system named absolute, and refuses a
// foreign one, which is neither on the system itself nor on one of the others:
// a rehearsal must not be led to call other systems.
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
	case h.Own(u) && u.Scheme == h.Base.Scheme, slices.Contains(h.Others, hostPort(u)):
		return u, nil
	}
	return nil, fmt.Errorf("%w: %s is not the candidate %s", ErrForeign, hostPort(u), hostPort(h.Base))
}

// Own says whether an address is on the host and port of the system that was
// asked.
func (h Hosts) Own(u *url.URL) bool { return hostPort(u) == hostPort(h.Base) }

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = message.DefaultPort(u.Scheme)
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// RequestURL is where relative references in an answer start; the request
// itself may carry its path as opaque bytes.
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
