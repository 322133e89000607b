package target

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestAllowed(t *testing.T) {
	f := func(list, host, port, address string, want bool) {
		t.Helper()
		all, err := ParseAllowed(strings.Fields(list))
		if err != nil {
			t.Fatal(err)
		}
		a := netip.Addr{}
		if address != "" {
			a = netip.MustParseAddr(address)
		}
		if got := all.at(host, port, a); got != want {
			t.Errorf("%s: %s %s %s: %t", list, host, port, address, got)
		}
	}
	f("", "x", "80", "", true)
	f("shop.test", "shop.test", "80", "192.0.2.1", true)
	f("Shop.test", "SHOP.test", "80", "", true)
	f("shop.test:8080", "shop.test", "80", "", false)
	f("shop.test:80", "shop.test", "80", "", true)
	f("shop.test", "a.shop.test", "80", "", false)
	f("*.shop.test", "a.shop.test", "80", "", true)
	f("*.shop.test", "shop.test", "80", "", false)
	f("*.shop.test", "ashop.test", "80", "", false)
	f("10.1.0.0/16", "x", "80", "10.1.2.3", true)
	f("10.1.0.0/16", "x", "80", "::ffff:10.1.2.3", true)
	f("10.1.0.0/16", "x", "80", "10.2.0.1", false)
	f("10.1.0.0/16", "x", "80", "", false)
	f("10.1.0.0/16:8080", "x", "80", "10.1.2.3", false)
	f("10.1.2.3", "x", "80", "10.1.2.3", true)
	f("10.1.2.3:80", "10.1.2.3", "80", "10.1.2.3", true)
	f("fd00::/8", "x", "80", "fd00::1", true)
	f("[fd00::/8]:81", "x", "80", "fd00::1", false)
	f("[::1]:80 shop.test", "x", "80", "::1", true)

	for _, wrong := range []string{"", ":80", "x:", "x:0", "x:99999", "x:080", "x:y", "10.1.2.3/16", "10.1.0.0/33", "http://x", "x/y", "*", "*.", "a*b", "[::1", "[::1]80", "[::1]:", "a@b", "a:b:c"} {
		if _, err := ParseAllowed([]string{"x", wrong}); err == nil || !strings.Contains(err.Error(), `"`+wrong+`"`) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// resolver is one of the test's own: answers in turns, the last for ever.
type resolver struct {
	answers []string
	asked   int
}

func (r *resolver) lookup(context.Context, string, string) (out []netip.Addr, err error) {
	for _, a := range strings.Fields(r.answers[min(r.asked, len(r.answers)-1)]) {
		out = append(out, netip.MustParseAddr(a))
	}
	r.asked++
	return out, nil
}

// TestALaterAnswerOfTheResolver leads only into the networks of the first, unless
// the user has named another.
func TestALaterAnswerOfTheResolver(t *testing.T) {
	f := func(first, later, allow string, want bool) {
		t.Helper()
		all, err := ParseAllowed(strings.Fields(allow))
		if err != nil {
			t.Fatal(err)
		}
		d := newDialer(&url.URL{Scheme: "http", Host: "candidate.test"}, all)
		d.lookup = (&resolver{answers: []string{first, later}}).lookup
		if err := d.pin(t.Context(), []string{"candidate.test:80"}); err != nil {
			t.Fatal(err)
		}
		known, _, _ := d.resolve(t.Context(), "candidate.test", "80", nil)
		_, _, err = d.resolve(t.Context(), "candidate.test", "80", known)
		if (err == nil) != want || err != nil && !errors.Is(err, operation.ErrForeign) {
			t.Errorf("%s, later %s: %v", first, later, err)
		}
	}
	f("10.1.2.3", "10.1.9.9", "", true)
	f("10.1.2.3", "10.2.0.1", "", false)
	f("10.1.2.3 10.2.7.7", "10.2.0.1", "", true)
	f("10.1.2.3", "10.1.9.9 10.2.0.1", "", false) // one of them is enough
	f("192.0.2.1", "198.51.100.1", "", false)
	f("192.0.2.1", "198.51.100.1", "candidate.test 198.51.100.0/24", true)
	f("192.0.2.1", "198.51.100.1", "candidate.test 198.51.100.0/24:81", false)
	f("192.0.2.1", "198.51.100.1", "candidate.test", false)
	f("192.0.2.1", "127.0.0.1", "", false)
	f("127.0.0.1", "127.0.1.1", "", true)
	f("127.0.0.1", "::1", "", true)
	f("192.0.2.1", "169.254.169.254", "", false)
	f("2001:db8:0:1::1", "2001:db8:0:2::1", "", true)
	f("2001:db8:0:1::1", "2001:db8:1::1", "", false)
	f("10.1.2.3", "2001:db8::1", "", false)
}

// TestTheAddressOfTheStartStays though the resolver has changed its mind since, and
// a host of a status monitor that is pinned stays too.
func TestTheAddressOfTheStartStays(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	d := newDialer(&url.URL{Scheme: "http", Host: "candidate.test:" + port}, nil)
	r := &resolver{answers: []string{"127.0.0.1", "192.0.2.1"}}
	d.lookup = r.lookup
	if err := d.pin(t.Context(), []string{"candidate.test:" + port}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		conn, err := d.dial(t.Context(), "tcp", "candidate.test:"+port)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	if r.asked != 1 {
		t.Errorf("asked %d times", r.asked)
	}
}

// TestNoConnectionBeyondAllow: neither to a name, an address nor what a name leads
// to, and over a network of the program's own neither.
func TestNoConnectionBeyondAllow(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	f := func(allow, host string, want bool) {
		t.Helper()
		all, err := ParseAllowed(strings.Fields(allow))
		if err != nil {
			t.Fatal(err)
		}
		d := newDialer(&url.URL{Scheme: "http", Host: "candidate.test"}, all)
		d.lookup = (&resolver{answers: []string{"127.0.0.1"}}).lookup
		conn, err := d.dial(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			conn.Close()
		}
		if (err == nil) != want || err != nil && !errors.Is(err, operation.ErrForeign) {
			t.Errorf("%s: %s: %v", allow, host, err)
		}
	}
	f("candidate.test", "candidate.test", true)
	f("127.0.0.0/8", "candidate.test", true)
	f("127.0.0.0/8", "127.0.0.1", true)
	f("other.test", "candidate.test", false)
	f("other.test", "127.0.0.1", false)
	f("10.0.0.0/8", "candidate.test", false)
	f("candidate.test:1", "candidate.test", false)

	cfg := DefaultConfig()
	cfg.URL, cfg.Places = "http://127.0.0.1:"+port, []string{"10.0.0.0/8"}
	c, err := New(cfg, func(*understudyv1.Orphan) {}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Start(t.Context()); !errors.Is(err, operation.ErrForeign) {
		t.Errorf("it started: %v", err)
	}
	q, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, cfg.URL, nil)
	if o := c.direct.Ask(t.Context(), q, nil); o.GetError().GetKind() != understudyv1.TransportError_KIND_REFUSED || !strings.Contains(o.GetError().GetMessage(), "allow") {
		t.Errorf("%v", o)
	}
	c.direct.Close()
	if _, err := Check(t.Context(), cfg.URL, c.direct.dialer.allowed); !errors.Is(err, operation.ErrForeign) {
		t.Errorf("%v", err)
	}
	if got, err := Check(t.Context(), cfg.URL, nil); err != nil || len(got) != 1 || got[0].String() != "127.0.0.1:"+port {
		t.Errorf("%v, %v", got, err)
	}
	dialed := overNetwork(nil, c.direct.dialer.allowed)
	if _, err := dialed(t.Context(), "tcp", "candidate.test:80"); !errors.Is(err, operation.ErrForeign) {
		t.Errorf("%v", err)
	}
}
