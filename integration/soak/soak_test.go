package soak_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/gateway/proxy"
	"understudy.dev/recorder"
	"understudy.dev/recorder/recordertest"
)

// sized is the answer that comes early.
const sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"

// moody is a baseline on its worst days: it answers before it has read the
// body, closes connections unannounced, and restarts.
type moody struct {
	address string
	seen    atomic.Int64
	mu      sync.Mutex
	l       net.Listener
	open    map[net.Conn]bool
}

func startMoody(t *testing.T) *moody {
	t.Helper()
	m := &moody{address: "127.0.0.1:0"}
	if err := m.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.stop)
	return m
}

func (m *moody) start() error {
	l, err := net.Listen("tcp", m.address)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.address, m.l, m.open = l.Addr().String(), l, map[net.Conn]bool{}
	m.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.open[c] = true
			m.mu.Unlock()
			go m.serve(c)
		}
	}()
	return nil
}

func (m *moody) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.l.Close()
	for c := range m.open {
		c.Close()
	}
}

func (m *moody) serve(c net.Conn) {
	defer func() {
		c.Close()
		m.mu.Lock()
		delete(m.open, c)
		m.mu.Unlock()
	}()
	r := bufio.NewReader(c)
	for {
		h := head(r)
		if h == "" {
			return
		}
		mood := m.seen.Add(1) % 8
		if mood == 7 {
			return // no answer at all
		}
		if mood == 6 {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\near")
			return
		}
		if mood < 3 && discardBody(h, r) != nil {
			return
		}
		if _, err := io.WriteString(c, sized); err != nil || mood == 5 {
			return
		}
		if mood >= 3 && discardBody(h, r) != nil {
			return
		}
	}
}

func discardBody(head string, r *bufio.Reader) error {
	n, err := lengthIn(head)
	if err != nil {
		return err
	}
	_, err = io.CopyN(io.Discard, r, int64(n))
	return err
}

func lengthIn(head string) (int, error) {
	_, rest, _ := strings.Cut(head, "Content-Length: ")
	length, _, _ := strings.Cut(rest, "\r\n")
	return strconv.Atoi(length)
}

func head(r *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String()
		}
	}
}

// livePath is a recorder around a proxy, served as the command record serves
// it.
func livePath(t *testing.T, baseline string) (address string, rec *recorder.Recorder) {
	t.Helper()
	log, reg := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	cfg := proxy.DefaultConfig()
	cfg.URL = "http://" + baseline
	upstream, err := proxy.NewUpstream(cfg, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	if rec, err = recorder.New(recorder.DefaultConfig(), &recordertest.Sink{}, log, reg); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(rec.Wrap(upstream))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	ended := make(chan error, 1)
	go func() { ended <- rec.Run(t.Context()) }()
	s.Start()
	t.Cleanup(func() {
		s.Close()
		if err := <-ended; err != nil { // t.Context has ended before
			t.Errorf("recorder: %v", err)
		}
	})
	return s.Listener.Addr().String(), rec
}

// poster sends POSTs over one kept connection for as long as it is kept.
type poster struct {
	address string
	c       net.Conn
	r       *bufio.Reader
	owed    string // the rest of the last body

	tally *soakTally
}

type soakTally struct{ answered, cut, closed, reused atomic.Int64 }

func (p *poster) close() {
	if p.c != nil {
		p.c.Close()
	}
	p.c, p.owed = nil, ""
}

// post sends half of a body, or all of it, and takes the answer. What is owed
// of the last body goes out in one write with the new request, as a client does
// that has learned nothing of a close.
func (p *poster) post(i int) error {
	if p.c == nil {
		c, err := net.Dial("tcp", p.address)
		if err != nil {
			return err
		}
		p.c, p.r = c, bufio.NewReader(c)
	} else {
		p.tally.reused.Add(1)
	}
	_ = p.c.SetDeadline(time.Now().Add(20 * time.Second))
	body := strings.Repeat("x", 2+i%5000)
	now := len(body)
	if i%2 == 0 {
		now /= 2
	}
	_, _ = fmt.Fprintf(p.c, "%sPOST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", p.owed, i, len(body), body[:now])
	p.owed = body[now:]
	return p.answer()
}

// answer takes an answer. A baseline that waits for the whole body gets it.
func (p *poster) answer() error {
	owed := p.owed
	_ = p.c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := p.r.Peek(1); owed != "" && errors.Is(err, os.ErrDeadlineExceeded) {
		_, _ = io.WriteString(p.c, owed)
		p.owed = ""
	}
	_ = p.c.SetReadDeadline(time.Now().Add(20 * time.Second))
	h := head(p.r)
	body, err := bodyAfter(h, p.r)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer and no end: %q", h)
	case err != nil && strings.HasPrefix(h, "HTTP/1.1 200 "):
		p.tally.cut.Add(1)
		p.close()
		return nil
	case err != nil:
		return fmt.Errorf("head %q, body %q: %w", h, body, err)
	}
	p.tally.answered.Add(1)
	return p.after(strings.Contains(h, "\r\nConnection: close\r\n"))
}

func bodyAfter(head string, r *bufio.Reader) (string, error) {
	n, err := lengthIn(head)
	if err != nil {
		return "", err
	}
	b := make([]byte, n)
	got, err := io.ReadFull(r, b)
	return string(b[:got]), err
}

var errKept = errors.New("a connection with an unread body was kept")

// after holds the proxy to what it announced.
func (p *poster) after(announced bool) error {
	if !announced {
		if p.owed != "" {
			return errKept
		}
		return nil
	}
	p.tally.closed.Add(1)
	_, _ = io.WriteString(p.c, p.owed)
	b, err := io.ReadAll(p.r)
	if err != nil {
		return fmt.Errorf("after the close that was announced: %q: %w", b, err)
	}
	if len(b) > 0 {
		return fmt.Errorf("after the close that was announced: %q", b)
	}
	p.close()
	return nil
}

// TestUnreadBodiesDoNotEndTheProcess is its own proof: a panic in one of the
// Transport's goroutines ends the test binary. UNDERSTUDY_SOAK is how many
// requests are sent (make soak: 50,000).
func TestUnreadBodiesDoNotEndTheProcess(t *testing.T) {
	requests := 2000
	if n, err := strconv.Atoi(os.Getenv("UNDERSTUDY_SOAK")); err == nil {
		requests = n
	}
	m := startMoody(t)
	var restart sync.Mutex
	address, rec := livePath(t, m.address)
	var tally soakTally
	var next atomic.Int64
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			p := &poster{address: address, tally: &tally}
			defer p.close()
			for i := next.Add(1); i <= int64(requests); i = next.Add(1) {
				if i%int64(requests/10) == 0 {
					restart.Lock()
					m.stop()
					if err := m.start(); err != nil {
						t.Error("restart:", err)
					}
					restart.Unlock()
				}
				if err := p.post(int(i)); err != nil {
					t.Errorf("request %d: %v", i, err)
					if !errors.Is(err, errKept) {
						p.close()
					}
				}
			}
		})
	}
	workers.Wait()
	t.Logf("%d answered whole, %d cut, %d closed after an unread body, %d on a kept connection",
		tally.answered.Load(), tally.cut.Load(), tally.closed.Load(), tally.reused.Load())
	if got := tally.answered.Load() + tally.cut.Load(); got != int64(requests) {
		t.Errorf("%d of %d requests got an answer or an end", got, requests)
	}
	if served := rec.Tally().Served; served != uint64(requests) {
		t.Errorf("the recorder has served %d of %d requests", served, requests)
	}
	if tally.closed.Load() == 0 || tally.reused.Load() == 0 {
		t.Error("the load did not meet the case")
	}
}
