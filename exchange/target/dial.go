package target

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"understudy.dev/exchange/operation"
)

// dialer connects to the systems of a run. A host is looked up once: what its
// name leads to later on, when whoever answers for it may have changed his mind,
// is not followed unless nothing answers any more at the old addresses.
type dialer struct {
	net.Dialer
	base   string // the host that the user named
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

	mu    sync.Mutex
	known map[string][]netip.Addr
}

func newDialer(base *url.URL) *dialer {
	return &dialer{
		Dialer: net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second},
		base:   strings.ToLower(base.Hostname()), lookup: net.DefaultResolver.LookupNetIP, known: map[string][]netip.Addr{},
	}
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return d.DialContext(ctx, network, address)
	}
	known, isNew, err := d.resolve(ctx, host, nil)
	if err != nil {
		return nil, err
	}
	conn, err := d.first(ctx, network, port, known)
	if err == nil || isNew || ctx.Err() != nil {
		return conn, err
	}
	again, _, lookupErr := d.resolve(ctx, host, known)
	if lookupErr != nil {
		return nil, err
	}
	return d.first(ctx, network, port, again)
}

// first is the first connection that one of the addresses takes.
func (d *dialer) first(ctx context.Context, network, port string, addresses []netip.Addr) (conn net.Conn, err error) {
	for _, a := range addresses {
		if conn, err = d.DialContext(ctx, network, net.JoinHostPort(a.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// resolve gives the addresses of a host, which are asked for again only if those
// known before are given. It refuses, with an error that wraps
// operation.ErrForeign, what leads into the machine or its link where the user
// has not said so: a candidate's host must not be able to become ours.
func (d *dialer) resolve(ctx context.Context, host string, before []netip.Addr) (addresses []netip.Addr, isNew bool, err error) {
	host = strings.ToLower(host)
	d.mu.Lock()
	known := d.known[host]
	d.mu.Unlock()
	if known != nil && before == nil {
		return known, false, nil
	}
	found, err := d.lookup(ctx, "ip", host)
	if err != nil {
		return nil, true, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	mayBeOurs := host == "localhost" || host == d.base && before == nil || slices.ContainsFunc(before, isOurs)
	for _, a := range found {
		if a = a.Unmap(); isOurs(a) && !mayBeOurs {
			return nil, true, fmt.Errorf("%w: %s leads to %s, an address of this machine or link", operation.ErrForeign, host, a)
		}
		addresses = append(addresses, a)
	}
	if len(addresses) == 0 {
		return nil, true, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s has no address", host)}
	}
	d.mu.Lock()
	d.known[host] = addresses
	d.mu.Unlock()
	return addresses, true, nil
}

// isOurs: it is of this machine, or of its link, where clouds serve credentials.
func isOurs(a netip.Addr) bool {
	return a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() || a.IsMulticast()
}
