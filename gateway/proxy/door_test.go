package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
	"understudy.dev/gateway/proxy"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// byHeader sends to the candidate what says so.
type byHeader struct {
	stay     bool // with the candidate, even if it cannot be reached
	retreats atomic.Int32
}

func (d *byHeader) visit(side string) *visit.Visit {
	v := &visit.Visit{Side: understudyv1.Side_SIDE_BASELINE, Attempts: 1}
	if side == "candidate" {
		v.Side = understudyv1.Side_SIDE_CANDIDATE
	}
	return v
}

func (d *byHeader) Enter(q *wire.Request, _ string) *visit.Visit {
	side, _ := q.Get("x-side")
	return d.visit(string(side))
}

func (d *byHeader) EnterHTTP(in *http.Request) *visit.Visit { return d.visit(in.Header.Get("X-Side")) }

func (d *byHeader) Unreached(v *visit.Visit) bool {
	d.retreats.Add(1)
	if !d.stay {
		v.Side = understudyv1.Side_SIDE_BASELINE
		v.Attempts++
	}
	return !d.stay
}

// side answers with its name and what it got.
func side(t *testing.T, name string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %d %s", name, r.Method, len(b), r.Host)
	}))
	t.Cleanup(s.Close)
	return s
}

func upstream(t *testing.T, url, host string) *proxy.Upstream {
	t.Helper()
	cfg := proxy.DefaultConfig()
	cfg.URL, cfg.Host = url, host
	up, err := proxy.NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return up
}

// twoSided serves both over each engine and HTTP version.
func twoSided(t *testing.T, door proxy.Door, baseline, candidate *proxy.Upstream, f func(t *testing.T, address string, client *http.Client)) {
	for _, engine := range []string{"wire", "net/http", "h2c"} {
		t.Run(engine, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			choice := &proxy.Choice{Baseline: baseline, Candidate: candidate, Door: door}
			protocols := new(http.Protocols)
			protocols.SetHTTP1(true)
			protocols.SetUnencryptedHTTP2(true)
			h := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				choice.ServeHTTP(w, r.WithContext(visit.With(r.Context(), door.EnterHTTP(r))))
			})}
			var s interface {
				Serve(net.Listener) error
				Shutdown(context.Context) error
			} = h
			if engine == "wire" {
				s = proxy.NewServer(baseline, proxy.Serving{HTTP2: h, Door: door, Candidate: candidate})
			}
			served := make(chan error, 1)
			go func() { served <- s.Serve(l) }()
			transport := &http.Transport{}
			if engine == "h2c" {
				transport.Protocols = new(http.Protocols)
				transport.Protocols.SetUnencryptedHTTP2(true)
			}
			f(t, "http://"+l.Addr().String(), &http.Client{Transport: transport})
			transport.CloseIdleConnections()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := s.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			<-served
		})
	}
}

func ask(t *testing.T, client *http.Client, method, url, side string, body io.Reader) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "shop.example"
	r.Header.Set("X-Side", side)
	a, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(b)
}

// TestTwoSides: each request goes to the side that the door has chosen, over one
// connection of the client, with what that side wants to see.
func TestTwoSides(t *testing.T) {
	baseline, candidate := upstream(t, side(t, "baseline").URL, ""), upstream(t, side(t, "candidate").URL, "new.example")
	twoSided(t, &byHeader{}, baseline, candidate, func(t *testing.T, address string, client *http.Client) {
		for range 3 {
			for _, c := range [][2]string{{"baseline", "shop.example"}, {"candidate", "new.example"}} {
				if status, got := ask(t, client, "POST", address+"/x", c[0], strings.NewReader("12345")); status != 200 || got != c[0]+" POST 5 "+c[1] {
					t.Errorf("%s: %d %q", c[0], status, got)
				}
			}
		}
	})
}

// TestACandidateThatIsNotThere: not a byte was sent to it, so the baseline gets
// the request whole, bodies of every size and framing included.
func TestACandidateThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	door := &byHeader{}
	baseline, candidate := upstream(t, side(t, "baseline").URL, ""), upstream(t, nobody, "new.example")
	twoSided(t, door, baseline, candidate, func(t *testing.T, address string, client *http.Client) {
		before := door.retreats.Load()
		for _, size := range []int{0, 5, 100, 1 << 20} {
			for _, hide := range []bool{false, true} {
				var body io.Reader = strings.NewReader(strings.Repeat("x", size))
				if hide {
					body = io.MultiReader(body) // chunked
				}
				if status, got := ask(t, client, "POST", address+"/x", "candidate", body); status != 200 || got != fmt.Sprintf("baseline POST %d shop.example", size) {
					t.Errorf("%d bytes, chunked %t: %d %q", size, hide, status, got)
				}
			}
		}
		if n := door.retreats.Load() - before; n != 8 {
			t.Errorf("%d retreats", n)
		}
		door.stay = true
		defer func() { door.stay = false }()
		if status, got := ask(t, client, "POST", address+"/x", "candidate", strings.NewReader("12345")); status != http.StatusBadGateway {
			t.Errorf("with nowhere to go: %d %q", status, got)
		}
	})
}

// TestWhatWasSentStaysWhereItWas: a candidate that takes an unsafe request and
// breaks off may have acted on it, so the baseline never sees it.
func TestWhatWasSentStaysWhereItWas(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var taken atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
				taken.Add(1)
			}
			c.Close()
		}
	}()
	defer func() { l.Close(); <-done }()
	var served atomic.Int32
	old := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served.Add(1) }))
	defer old.Close()
	door := &byHeader{}
	twoSided(t, door, upstream(t, old.URL, ""), upstream(t, "http://"+l.Addr().String(), ""), func(t *testing.T, address string, client *http.Client) {
		before := taken.Load()
		status, got := ask(t, client, "POST", address+"/x", "candidate", strings.NewReader("12345"))
		if status != http.StatusBadGateway || taken.Load()-before != 1 || served.Load() != 0 || door.retreats.Load() != 0 {
			t.Errorf("%d %q: the candidate took it %d times, the baseline %d, %d retreats", status, got, taken.Load()-before, served.Load(), door.retreats.Load())
		}
	})
}

// TestEachSideHasItsOwnLimit: how long a head may be is said of each upstream.
func TestEachSideHasItsOwnLimit(t *testing.T) {
	long := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 64<<10))
	}))
	t.Cleanup(long.Close)
	limited := func(bytes int64) *proxy.Upstream {
		cfg := proxy.DefaultConfig()
		cfg.URL, cfg.MaxHeaderBytes = long.URL, bytes
		up, err := proxy.NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		return up
	}
	twoSided(t, &byHeader{}, limited(1<<20), limited(8<<10), func(t *testing.T, address string, client *http.Client) {
		for _, want := range []struct {
			side   string
			status int
		}{{"candidate", http.StatusBadGateway}, {"baseline", http.StatusOK}, {"candidate", http.StatusBadGateway}} {
			if status, _ := ask(t, client, http.MethodGet, address, want.side, nil); status != want.status {
				t.Errorf("the %s's answer has status %d, want %d", want.side, status, want.status)
			}
		}
	})
}
