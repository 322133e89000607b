package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// delivery is one with a body.
func delivery(body string) call {
	answer := &understudyv1.Response{Body: message.BodyOf([]byte(body))}
	return call{answer: answer, orphan: &understudyv1.Orphan{Received: &understudyv1.Request{Body: answer.GetBody()}}}
}

// correlating is a correlator and the orphans that it has made.
func correlating() (*correlator, *[]string) {
	var orphans []string
	return newCorrelator(func(x call) {
		orphans = append(orphans, strings.TrimSpace(fmt.Sprintf("%s %s %s", x.answer.GetBody().GetContent(), x.orphan.GetExchangeId(), x.orphan.GetLateAfter())))
	}), &orphans
}

func (w *waiter) bodies() (out string) {
	for len(w.calls) > 0 {
		out += string((<-w.calls).answer.GetBody().GetContent())
	}
	return out
}

// TestCorrelation: by a key known before, by one known later, and by none.
func TestCorrelation(t *testing.T) {
	c, orphans := correlating()
	equal := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	before := c.expect("e1", false)
	c.name(before, "k1", anyKind)
	c.deliver("k1", delivery("a"))
	c.deliver("nobody's", delivery("b"))
	equal(before.bodies(), "a")
	equal(fmt.Sprint(*orphans), "[b]")

	// What comes before its request has a name waits for it, and no longer than
	// any request may still turn out to be meant.
	first, second := c.expect("e2", true), c.expect("e3", true)
	c.deliver("k2", delivery("c"))
	c.deliver("k3", delivery("d"))
	c.deliver("k4", delivery("e"))
	third := c.expect("e4", true)
	c.name(second, "k3", anyKind)
	equal(second.bodies(), "d")
	equal(fmt.Sprint(*orphans), "[b]")
	c.name(first, "k2", anyKind)
	equal(first.bodies(), "c")
	equal(fmt.Sprint(*orphans), "[b e]")
	c.name(third, "k4", anyKind) // it began after that had come
	equal(third.bodies(), "")
	if len(c.early) != 0 || c.earlyBytes != 0 {
		t.Errorf("%d early ones of %d bytes are left", len(c.early), c.earlyBytes)
	}

	// What comes too late, or was not looked at, is known.
	c.deliver("k1", delivery("f"))
	c.forget(before, "after_end")
	c.forget(first, "timeout")
	c.deliver("k2", delivery("g"))
	equal(fmt.Sprint((*orphans)[2:]), "[f e1 after_end g e2 timeout]")
}

func TestCorrelationIsBounded(t *testing.T) {
	c, orphans := correlating()
	w := c.expect("e", true)
	for range maxEarly + 1 {
		c.deliver("k", delivery("x"))
	}
	if len(c.early) != maxEarly || len(*orphans) != 1 {
		t.Errorf("%d early, %d orphans", len(c.early), len(*orphans))
	}
	c.name(w, "k", anyKind)
	if len(w.calls) != maxCalls || len(*orphans) != 1+maxEarly-maxCalls || c.earlyBytes != 0 {
		t.Errorf("%d taken, %d orphans, %d bytes left", len(w.calls), len(*orphans), c.earlyBytes)
	}
	if got := c.deliver("k", delivery("x")); got != tooMany {
		t.Errorf("fate %d", got)
	}
	for i := range maxPast + 10 {
		w := c.expect("e", false)
		c.name(w, fmt.Sprint(i), anyKind)
		c.forget(w, "timeout")
	}
	if len(c.past) != maxPast || len(c.order) != maxPast || c.past["9"].id != "" || c.past["10"].id != "e" {
		t.Errorf("%d of the past are known, %d in order", len(c.past), len(c.order))
	}
}

func TestStalls(t *testing.T) {
	var s stalls
	at := func(ms int) time.Time { return time.UnixMilli(1_000_000 + int64(ms)) }
	s.add(at(10), at(40))
	s.add(at(100), at(110))
	f := func(a, b int, want time.Duration) {
		t.Helper()
		if got := s.longest(at(a), at(b)); got != want*time.Millisecond {
			t.Errorf("%d to %d: %s", a, b, got)
		}
	}
	f(0, 10, 0)
	f(0, 11, 30)
	f(39, 200, 30)
	f(40, 200, 10)
	f(110, 200, 0)
	for range 2 * maxStalls {
		s.add(at(300), at(301))
	}
	if len(s.list) != maxStalls {
		t.Errorf("%d stalls are kept", len(s.list))
	}
}

// TestTheHeartbeatNotices that the process did not run.
func TestTheHeartbeatNotices(t *testing.T) {
	var s stalls
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.watch(ctx) }()
	for begin := time.Now(); s.longest(begin, time.Now()) == 0 && time.Since(begin) < 10*time.Second; {
		busy := make(chan struct{})
		for range 64 {
			go func() {
				for x := time.Now(); time.Since(x) < 20*time.Millisecond; {
				}
				busy <- struct{}{}
			}()
		}
		for range 64 {
			<-busy
		}
	}
	stop()
	<-done
	if len(s.list) == 0 {
		t.Error("no stall was noticed")
	}
}

// TestHostsAreLookedUpOnce, and may not become ours afterwards.
func TestHostsAreLookedUpOnce(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	f := func(host string, lookups []string, wantForeign bool, wantErr bool) {
		t.Helper()
		d := newDialer(&url.URL{Scheme: "http", Host: "candidate.example"}, nil)
		d.Timeout = 200 * time.Millisecond
		asked := 0
		d.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
			asked++
			return []netip.Addr{netip.MustParseAddr(lookups[min(asked, len(lookups))-1])}, nil
		}
		var last error
		for range 2 {
			conn, err := d.dial(t.Context(), "tcp", net.JoinHostPort(host, port))
			if last = err; err == nil {
				conn.Close()
			}
		}
		if errors.Is(last, operation.ErrForeign) != wantForeign || (last != nil) != wantErr {
			t.Errorf("%s at %v: %v", host, lookups, last)
		}
		if last == nil && len(lookups) > 1 && asked != 1 {
			t.Errorf("%s was looked up %d times", host, asked)
		}
	}
	f("candidate.example", []string{"127.0.0.1", "192.0.2.1"}, false, false)
	f("localhost", []string{"127.0.0.1"}, false, false)
	f("status.example", []string{"127.0.0.1"}, true, true)
	f("status.example", []string{"169.254.169.254"}, true, true)
	f("status.example", []string{"::ffff:127.0.0.1"}, true, true)
	// Nobody answers at the old address: the host is asked for again, and is
	// refused if it has become ours.
	d := newDialer(&url.URL{Scheme: "http", Host: "candidate.example"}, nil)
	d.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	if _, _, err := d.resolve(t.Context(), "candidate.example", port, []netip.Addr{netip.MustParseAddr("192.0.2.1")}); !errors.Is(err, operation.ErrForeign) {
		t.Errorf("a host that has become ours: %v", err)
	}
}

// TestEvents: the forms that a stream of events may have.
func TestEvents(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		s := newEvents(strings.NewReader(text), 20)
		var got []string
		for {
			e, err := s.next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					got = append(got, err.Error())
				}
				break
			}
			got = append(got, fmt.Sprintf("%s %q %d %s %s", e.name, e.body.GetContent(), e.body.GetLength(), s.id, s.retry))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	f("data: a\n\n", `message "a" 1  0s`)
	f("\xef\xbb\xbfid: 7\r\nevent: done\r\ndata:a\r\ndata: b\r\n\r\nevent: x\r\n\r\ndata\n\n", `done "a\nb" 3 7 0s`, `message "" 0 7 0s`)
	f("retry: 30\r: note\rdata: a\r\rdata: cut", `message "a" 1  30ms`)
	f("id: a\x00b\nretry: x\nother: y\ndata:  a\n\n", `message " a" 2  0s`)
	f("data: "+strings.Repeat("x", 30)+"\n\n", `message "xxxxxxxxxxxxxxxxxxxx" 30  0s`)
	f("data: "+strings.Repeat("x", maxLine)+"\n\n", errLongLine.Error())
}

// FuzzEvents: whatever a stream says, what is kept of an event is bounded, and
// no identifier breaks the header that repeats it.
func FuzzEvents(f *testing.F) {
	f.Add("data: a\r\rid: 1\ndata\n\n")
	f.Add("\xef\xbb\xbfevent:x\n\nretry:9\ndata: b\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := newEvents(strings.NewReader(text), 8)
		for {
			e, err := s.next()
			if err != nil {
				return
			}
			if len(e.body.GetContent()) > 8 || e.name == "" || !message.IsField("Last-Event-Id", s.id) {
				t.Errorf("%q: %+v, id %q", text, e, s.id)
			}
		}
	})
}
