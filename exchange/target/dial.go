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
	"understudy.dev/exchange/target/sender"
)

// dialer connects to the systems of a run. A host is looked up once: what its
// name leads to later on, when whoever answers for it may have changed his mind,
// is not followed unless nothing answers any more at the old addresses, and then
// only within their networks.
type dialer struct {
	net.Dialer
	base    string // the host that the user named
	allowed Allowed
	lookup  func(ctx context.Context, network, host string) ([]netip.Addr, error)

	mu    sync.Mutex
	known map[string][]netip.Addr
}

func newDialer(base *url.URL, allow Allowed) *dialer {
	return &dialer{
		Dialer: net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}, allowed: allow,
		base: strings.ToLower(base.Hostname()), lookup: net.DefaultResolver.LookupNetIP, known: map[string][]netip.Addr{},
	}
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if !d.allowed.at(host, port, a) {
			return nil, notAllowed(address)
		}
		return d.DialContext(ctx, network, address)
	}
	known, isNew, err := d.resolve(ctx, host, port, nil)
	if err != nil {
		return nil, err
	}
	conn, err := d.first(ctx, network, host, port, known)
	if err == nil || isNew || ctx.Err() != nil {
		return conn, err
	}
	again, _, lookupErr := d.resolve(ctx, host, port, known)
	if lookupErr != nil {
		return nil, lookupErr
	}
	return d.first(ctx, network, host, port, again)
}

// first is the first connection that one of the addresses takes to which one may
// be made.
func (d *dialer) first(ctx context.Context, network, host, port string, addresses []netip.Addr) (conn net.Conn, err error) {
	err = notAllowed(net.JoinHostPort(host, port))
	for _, a := range addresses {
		if !d.allowed.at(host, port, a) {
			continue
		}
		if conn, err = d.DialContext(ctx, network, net.JoinHostPort(a.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func notAllowed(place string) error {
	return fmt.Errorf("%w: %s is not among what allow names", operation.ErrForeign, place)
}

// lookupTime bounds how long hosts are looked up before a run.
const lookupTime = 5 * time.Second

// pin looks hosts up before they are connected to, so that what their names lead
// to now holds. What cannot be looked up is when it is connected to.
func (d *dialer) pin(ctx context.Context, places []string) error {
	var group sync.WaitGroup
	failed := make([]error, len(places))
	for i, place := range places {
		host, port, err := net.SplitHostPort(place)
		if err != nil {
			continue
		}
		group.Go(func() { _, failed[i] = d.places(ctx, host, port) })
	}
	group.Wait()
	return failed[0]
}

// places are the addresses of a host to which connections may be made; the error
// wraps operation.ErrForeign if there are others only.
func (d *dialer) places(ctx context.Context, host, port string) ([]netip.Addr, error) {
	a, err := netip.ParseAddr(host)
	addresses := []netip.Addr{a.Unmap()}
	if err != nil {
		if addresses, _, err = d.resolve(ctx, host, port, nil); err != nil {
			return nil, err
		}
	}
	addresses = slices.DeleteFunc(slices.Clone(addresses), func(a netip.Addr) bool { return !d.allowed.at(host, port, a) })
	if len(addresses) == 0 {
		return nil, notAllowed(net.JoinHostPort(host, port))
	}
	return addresses, nil
}

// resolve gives the addresses of a host, which are asked for again only if those
// known before are given. It refuses, with an error that wraps
// operation.ErrForeign, what leads into the machine or its link where the user
// has not said so: a candidate's host must not be able to become ours. It refuses
// as well what leads elsewhere than before, unless allow names that network.
func (d *dialer) resolve(ctx context.Context, host, port string, before []netip.Addr) (addresses []netip.Addr, isNew bool, err error) {
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
		a = a.Unmap()
		switch {
		case isOurs(a) && !mayBeOurs:
			return nil, true, fmt.Errorf("%w: %s leads to %s, an address of this machine or link", operation.ErrForeign, host, a)
		case before != nil && !d.allowed.within(port, a) && !slices.ContainsFunc(before, func(b netip.Addr) bool { return areNear(a, b) }):
			return nil, true, fmt.Errorf("%w: %s led to %s and leads to %s now, which is another network; allow can name it", operation.ErrForeign, host, before[0], a)
		}
		addresses = append(addresses, a)
	}
	if len(addresses) == 0 {
		return nil, true, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s has no address", host)}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.known[host]; known != nil && before == nil {
		return known, false, nil // another request was faster, and its answer stays
	}
	d.known[host] = addresses
	return addresses, true, nil
}

// areNear says whether two addresses are of one network as far as they show: both
// of this machine, or alike in their first 16 bits, of IPv6 48.
func areNear(a, b netip.Addr) bool {
	if a.IsLoopback() && b.IsLoopback() {
		return true
	}
	bits := 48
	if a.Is4() {
		bits = 16
	}
	network, err := a.Prefix(bits)
	return err == nil && network.Contains(b)
}

// isOurs: it is of this machine, or of its link, where clouds serve credentials.
func isOurs(a netip.Addr) bool {
	return a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() || a.IsMulticast()
}

// overNetwork connects by a network of the program's own, which has its own
// notion of names.
func overNetwork(n Network, allow Allowed) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if a, _ := netip.ParseAddr(host); !allow.at(host, port, a) {
			return nil, notAllowed(address)
		}
		return n.DialContext(ctx, network, address)
	}
}

// Check looks a system up as a run would, and says why none may connect to it: an
// error that wraps operation.ErrForeign. addresses are those that its host has now,
// nil if it cannot be looked up.
func Check(ctx context.Context, baseURL string, allow Allowed) (addresses []netip.AddrPort, err error) {
	base, err := parseBase(baseURL)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(sender.Address(base))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, err := newDialer(base, allow).places(ctx, host, port)
	return withPort(found, port), err
}

// addresses are those of a system that are known.
func (d *dialer) addresses(base *url.URL) []netip.AddrPort {
	host, port, err := net.SplitHostPort(sender.Address(base))
	if err != nil {
		return nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return withPort([]netip.Addr{a}, port)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return withPort(d.known[strings.ToLower(host)], port)
}

func withPort(addresses []netip.Addr, port string) (out []netip.AddrPort) {
	for _, a := range addresses {
		if at, err := netip.ParseAddrPort(net.JoinHostPort(a.Unmap().String(), port)); err == nil {
			out = append(out, at)
		}
	}
	return out
}
