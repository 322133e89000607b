package soak_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
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
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// mood is what the baseline does with a request.
type mood int

const (
	answers    mood = iota // reads the body and answers
	inChunks               // so too, in chunks with a trailer
	early                  // answers, then reads the body
	leaves                 // closes the connection unannounced after its answer
	saysBye                // announces it
	halfCloses             // ends its side after an early answer, and reads on
	slowly                 // answers in pieces
	continues              // asks for the body by 100 Continue
	toTheEnd               // gives no length
	resets                 // breaks off within its answer, with a reset
	cuts                   // so too, with an end
	silent                 // closes without an answer
	moods
)

// whole are the moods with a whole answer.
func (m mood) whole() bool { return m <= toTheEnd }

// order is one request; client and baseline know it from its target.
type order struct {
	id, up, down int
	mood         mood
	get, chunked bool
}

func orderOf(id int) order {
	r := rand.New(rand.NewPCG(uint64(id), 7))
	sizes := []int{0, 1, 700, 5000, 5000, 70_000, 300_000}
	o := order{id: id, up: sizes[r.IntN(len(sizes))], down: sizes[r.IntN(len(sizes))], mood: mood(r.IntN(int(moods))), get: r.IntN(3) == 0, chunked: r.IntN(2) == 0}
	if o.get {
		o.up = 0
	}
	if o.up == 0 && o.mood == continues {
		o.mood = answers
	}
	if !o.mood.whole() && o.down == 0 {
		o.down = 10
	}
	return o
}

func (o order) head() string {
	method, length := "POST", fmt.Sprintf("Content-Length: %d\r\n", o.up)
	switch {
	case o.get:
		method, length = "GET", ""
	case o.chunked:
		length = "Transfer-Encoding: chunked\r\n"
	}
	if o.mood == continues {
		length += "Expect: 100-continue\r\n"
	}
	return fmt.Sprintf("%s /%d HTTP/1.1\r\nHost: h\r\n%s\r\n", method, o.id, length)
}

// pattern is what bodies are cut out of, each at its own place.
var pattern = func() []byte {
	b := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}()

func content(id, n int) []byte { at := id * 131 % (1<<20 - 300_000); return pattern[at : at+n] }

// framed is a body as it is sent.
func framed(b []byte, chunked bool, trailer string) []byte {
	if !chunked {
		return b
	}
	var out bytes.Buffer
	for i := 0; len(b) > 0; i++ {
		n := min(len(b), 1+i*7000)
		fmt.Fprintf(&out, "%x\r\n%s\r\n", n, b[:n])
		b = b[n:]
	}
	out.WriteString("0\r\n" + trailer + "\r\n")
	return out.Bytes()
}

// unframed reads a body in a framing.
func unframed(r *bufio.Reader, n int, chunked bool) ([]byte, error) {
	if !chunked {
		b := make([]byte, n)
		k, err := io.ReadFull(r, b)
		return b[:k], err
	}
	var b []byte
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return b, io.ErrUnexpectedEOF
		}
		size, err := strconv.ParseUint(strings.TrimSpace(line), 16, 32)
		if err != nil {
			return b, err
		}
		if size == 0 {
			for line != "\r\n" {
				if line, err = r.ReadString('\n'); err != nil {
					return b, io.ErrUnexpectedEOF
				}
			}
			return b, nil
		}
		at := len(b)
		b = append(b, make([]byte, size+2)...)
		if k, err := io.ReadFull(r, b[at:]); err != nil {
			return b[:at+min(k, int(size))], io.ErrUnexpectedEOF
		}
		b = b[:len(b)-2]
	}
}

// account is what the baseline knows of one request.
type account struct {
	seen     int
	uploaded bool // the body came whole
	answered bool // all of the answer was written
	killed   bool
	wrong    string
}

// hostile is a baseline of many moods that dies and restarts.
type hostile struct {
	address string
	serving sync.WaitGroup
	mu      sync.Mutex
	l       net.Listener
	open    map[net.Conn]int // the request that it is about
	books   map[int]*account
	deaths  atomic.Int64 // twice each: an odd number says that it is dead
}

func (h *hostile) start() error {
	l, err := net.Listen("tcp", h.address)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.address, h.l = l.Addr().String(), l
	h.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.open[c] = 0
			h.mu.Unlock()
			h.serving.Go(func() {
				defer func() {
					c.Close()
					h.mu.Lock()
					delete(h.open, c)
					h.mu.Unlock()
				}()
				r := bufio.NewReader(c)
				for h.serve(c, r) {
				}
			})
		}
	}()
	return nil
}

// die resets all connections at once.
func (h *hostile) die() {
	h.deaths.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.l.Close()
	for c, id := range h.open {
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
		if a := h.books[id]; a != nil {
			a.killed = true
		}
	}
}

func (h *hostile) note(id int, f func(*account)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.books[id]
	if a == nil {
		a = new(account)
		h.books[id] = a
	}
	f(a)
}

func (h *hostile) serve(c net.Conn, r *bufio.Reader) bool {
	text := head(r)
	if !strings.HasSuffix(text, "\r\n\r\n") {
		return false
	}
	id, err := strconv.Atoi(strings.TrimPrefix(strings.Fields(text)[1], "/"))
	o := orderOf(id)
	h.mu.Lock()
	h.open[c] = id
	h.mu.Unlock()
	h.note(id, func(a *account) {
		if a.seen++; err != nil || text != o.head() {
			a.wrong = fmt.Sprintf("the head is %q", text)
		}
	})
	body := func() bool {
		if o.get {
			return true
		}
		b, err := unframed(r, o.up, o.chunked)
		h.note(id, func(a *account) {
			a.uploaded = err == nil
			if !bytes.HasPrefix(content(id, o.up), b) {
				a.wrong = "the body is another"
			}
		})
		return err == nil
	}
	switch o.mood {
	case early, halfCloses:
	case continues:
		io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		fallthrough
	default:
		if !body() {
			return false
		}
	}
	wrote := h.answer(c, o)
	switch o.mood {
	case early:
		return wrote && body()
	case halfCloses:
		_ = c.(*net.TCPConn).CloseWrite()
		body()
		return false
	}
	return wrote && o.mood < leaves || o.mood == slowly || o.mood == continues
}

// answer writes an answer by the mood, true if all of it went out.
func (h *hostile) answer(c net.Conn, o order) bool {
	chunked := o.mood == inChunks || o.mood == early && o.chunked
	start := fmt.Sprintf("HTTP/1.1 200 Number %d\r\nContent-Length: %d\r\n\r\n", o.id, o.down)
	switch {
	case chunked:
		start = fmt.Sprintf("HTTP/1.1 200 Number %d\r\nTransfer-Encoding: chunked\r\n\r\n", o.id)
	case o.mood == saysBye:
		start = fmt.Sprintf("HTTP/1.1 200 Number %d\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", o.id, o.down)
	case o.mood == toTheEnd:
		start = fmt.Sprintf("HTTP/1.1 200 Number %d\r\n\r\n", o.id)
	}
	all := append([]byte(start), framed(content(o.id, o.down), chunked, "X-Number: "+strconv.Itoa(o.id)+"\r\n")...)
	switch o.mood {
	case silent:
		return false
	case cuts, resets:
		_, _ = c.Write(all[:len(start)+o.down/2])
		if o.mood == resets {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
		return false
	case slowly:
		for i := range 4 {
			time.Sleep(time.Millisecond)
			if _, err := c.Write(all[i*len(all)/4 : (i+1)*len(all)/4]); err != nil {
				return false
			}
		}
	default:
		if _, err := c.Write(all); err != nil {
			return false
		}
	}
	h.note(o.id, func(a *account) { a.answered = true })
	return true
}

// counting is a sink that keeps nothing, but looks at what it gets.
type counting struct {
	exchanges, cut atomic.Int64
}

func (s *counting) Exchange(e *understudyv1.Exchange, done func(error)) error {
	s.exchanges.Add(1)
	id, _ := strconv.Atoi(strings.TrimPrefix(string(e.GetRequest().GetTarget()), "/"))
	b := e.GetResponse().GetBody()
	if e.GetError() == nil && (b.GetTruncated() || !bytes.Equal(b.GetContent(), content(id, orderOf(id).down))) {
		s.cut.Add(1)
	}
	done(nil)
	return nil
}
func (s *counting) Tally(_ *understudyv1.Tally, done func(error)) error { done(nil); return nil }
func (s *counting) Flush(context.Context) error                         { return nil }

// onWire is a recorder on a proxy with the engine wire.
func onWire(t *testing.T, baseline string, sink recorder.Sink) (address string, rec *recorder.Recorder) {
	t.Helper()
	log, reg := slog.New(slog.NewTextHandler(failing{t}, &slog.HandlerOptions{Level: slog.LevelError})), prometheus.NewRegistry()
	cfg := proxy.DefaultConfig()
	cfg.URL, cfg.Engine = "http://"+baseline, proxy.EngineWire
	upstream, err := proxy.NewUpstream(cfg, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	rc := recorder.DefaultConfig()
	rc.Redact.Off = true
	if rec, err = recorder.New(rc, sink, log, reg); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := &http.Server{Handler: rec.Wrap(upstream), Protocols: new(http.Protocols)}
	over.Protocols.SetUnencryptedHTTP2(true)
	s := proxy.NewServer(upstream, proxy.Serving{HTTP2: over, Tap: rec.Tap()})
	served, ended := make(chan error, 1), make(chan error, 1)
	recording, stop := context.WithCancel(context.Background())
	go func() { served <- s.Serve(l) }()
	go func() { ended <- rec.Run(recording) }()
	t.Cleanup(func() {
		grace, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := s.Shutdown(grace); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		<-served
		stop()
		if err := <-ended; err != nil {
			t.Errorf("recorder: %v", err)
		}
		n := rec.Tally()
		if n.Excess() != 0 || n.Served != n.Recorded+sum(n.Dropped) || n.Bytes != 0 {
			t.Errorf("the books do not balance: %+v", n)
		}
		if n.Dropped["panic"]+n.Dropped["internal"] > 0 {
			t.Errorf("faults: %+v", n)
		}
	})
	return l.Addr().String(), rec
}

func sum(m map[string]uint64) (n uint64) {
	for _, k := range m {
		n += k
	}
	return n
}

// failing makes a log line of level error a failure: nothing may panic.
type failing struct{ t *testing.T }

func (f failing) Write(p []byte) (int, error) { f.t.Errorf("logged: %s", p); return len(p), nil }

// result is what a client knows of one request.
type result struct {
	whole, cut, failed, left bool // one of them
	sent                     bool // all of the body was sent
	deaths                   int64
	said                     string
}

// guest is a client with a connection that it keeps as long as it can.
type guest struct {
	h       *hostile
	address string
	c       net.Conn
	r       *bufio.Reader
	results map[int]result
}

func (g *guest) close() {
	if g.c != nil {
		g.c.Close()
		g.c = nil
	}
}

// bye closes when all that was sent has arrived: a reset would take it back.
func (g *guest) bye() {
	if g.c != nil {
		_ = g.c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, g.r)
		g.close()
	}
}

func (g *guest) connect() error {
	if g.c == nil {
		c, err := net.Dial("tcp", g.address)
		if err != nil {
			return err
		}
		g.c, g.r = c, bufio.NewReader(c)
	}
	return g.c.SetDeadline(time.Now().Add(60 * time.Second))
}

// visit sends one request in the manner that its number gives.
func (g *guest) visit(id int) error {
	o, before := orderOf(id), g.h.deaths.Load()
	manner := rand.New(rand.NewPCG(uint64(id), 9)).IntN(8)
	if manner == 7 {
		g.bye()
	}
	if err := g.connect(); err != nil {
		return err
	}
	body := framed(content(id, o.up), o.chunked && !o.get, "")
	lasts := (o.mood == early || o.mood == halfCloses) && len(body) > 1 && manner < 4
	res := result{sent: true}
	switch {
	case manner == 7: // leaves within the request
		_, _ = io.WriteString(g.c, o.head())
		_, _ = g.c.Write(body[:len(body)/2])
		if id%2 == 0 {
			_ = g.c.(*net.TCPConn).SetLinger(0)
		}
		g.close()
		g.results[id] = result{left: true}
		return nil
	case o.mood == continues:
		io.WriteString(g.c, o.head())
		if line, err := g.r.Peek(12); err == nil && string(line) == "HTTP/1.1 100" {
			head(g.r)
			_, err := g.c.Write(body)
			res.sent = err == nil
		} else {
			res.sent = false
		}
	case lasts: // the upload outlasts the answer
		_, _ = g.c.Write(append([]byte(o.head()), body[:len(body)/2]...))
	default:
		_, err := g.c.Write(append([]byte(o.head()), body...))
		res.sent = err == nil
	}
	if manner == 6 && !lasts {
		_ = g.c.(*net.TCPConn).CloseWrite()
	}
	keep, err := g.take(o, &res, manner == 5)
	if lasts {
		res.sent = false
		if res.whole {
			_, err := g.c.Write(body[len(body)/2:])
			res.sent = err == nil
		}
	}
	switch {
	case res.sent && res.whole && !keep:
		g.bye()
	case !keep || manner == 6 || !res.sent:
		g.close()
	}
	res.deaths = g.h.deaths.Load() - before + before%2
	g.results[id] = res
	return err
}

// take reads an answer; slow readers take their time.
func (g *guest) take(o order, res *result, slow bool) (keep bool, err error) {
	text := head(g.r)
	if slow {
		time.Sleep(3 * time.Millisecond)
	}
	if !strings.HasSuffix(text, "\r\n\r\n") {
		res.cut = true
		return false, nil
	}
	keep = !strings.Contains(text, "\r\nConnection: close\r\n")
	if !strings.HasPrefix(text, fmt.Sprintf("HTTP/1.1 200 Number %d\r\n", o.id)) {
		if text[9] != '5' && text[9] != '4' {
			return false, fmt.Errorf("request %d: the answer is not its own: %q", o.id, text)
		}
		n, err := lengthIn(text)
		said := make([]byte, n)
		if err == nil {
			_, err = io.ReadFull(g.r, said)
		}
		res.said = string(said)
		res.failed = true
		return keep && err == nil, nil
	}
	var b []byte
	switch {
	case strings.Contains(text, "Transfer-Encoding: chunked"):
		b, err = unframed(g.r, 0, true)
	case strings.Contains(text, "Content-Length: "):
		b, err = unframed(g.r, o.down, false)
	default:
		b, err = io.ReadAll(g.r)
	}
	if !bytes.HasPrefix(content(o.id, o.down), b) {
		return false, fmt.Errorf("request %d: the answer's body is another", o.id)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, fmt.Errorf("request %d of mood %d: no end of its answer", o.id, o.mood)
	}
	res.whole, res.cut = err == nil, err != nil
	return keep && err == nil, nil
}

// pipeline sends some requests at once and takes their answers in order.
func (g *guest) pipeline(ids []int) error {
	before := g.h.deaths.Load()
	if err := g.connect(); err != nil {
		return err
	}
	var all []byte
	for _, id := range ids {
		o := orderOf(id)
		all = append(append(all, o.head()...), framed(content(id, o.up), o.chunked && !o.get, "")...)
	}
	go func(c net.Conn) { _, _ = c.Write(all) }(g.c)
	for _, id := range ids {
		res := result{sent: true}
		keep, err := g.take(orderOf(id), &res, false)
		res.deaths = g.h.deaths.Load() - before + before%2
		g.results[id] = res
		if err != nil {
			return err
		}
		if !keep {
			g.close()
			break // the others have no answer, nor must they have been done
		}
	}
	return nil
}

// TestHostileMix: 64 clients and a baseline on their worst days, counted at both
// ends. No answer is cut that is whole without the recorder, no request done
// twice, no upload cut. UNDERSTUDY_HOSTILE is how many requests are sent
// (make soak: 500,000).
func TestHostileMix(t *testing.T) {
	requests := 4000
	if n, err := strconv.Atoi(os.Getenv("UNDERSTUDY_HOSTILE")); err == nil {
		requests = n
	}
	h := &hostile{address: "127.0.0.1:0", open: map[net.Conn]int{}, books: map[int]*account{}}
	if err := h.start(); err != nil {
		t.Fatal(err)
	}
	sink := new(counting)
	address, rec := onWire(t, h.address, sink)
	var next atomic.Int64
	var restart sync.Mutex
	var clients sync.WaitGroup
	guests := make([]*guest, 64)
	for i := range guests {
		g := &guest{h: h, address: address, results: map[int]result{}}
		guests[i] = g
		clients.Go(func() {
			defer g.close()
			for {
				id := int(next.Add(4)) - 3
				if id > requests {
					return
				}
				if (id/4)%max(min(requests/40, 2500), 1) == 0 && restart.TryLock() {
					h.die()
					if err := h.start(); err != nil {
						t.Error("restart:", err)
					}
					h.deaths.Add(1)
					restart.Unlock()
				}
				ids := []int{id, id + 1, id + 2, id + 3}
				fit := true
				for _, id := range ids {
					fit = fit && orderOf(id).mood < halfCloses
				}
				if fit {
					if err := g.pipeline(ids); err != nil {
						t.Error(err)
						g.close()
					}
					continue
				}
				for _, id := range ids {
					if err := g.visit(id); err != nil {
						t.Error(err)
						g.close()
					}
				}
			}
		})
	}
	clients.Wait()
	h.die()
	h.serving.Wait()
	counts := map[string]int{}
	for _, g := range guests {
		for id, res := range g.results {
			judge(t, h, id, res, counts)
		}
	}
	h.mu.Lock()
	for id, a := range h.books {
		if o := orderOf(id); a.seen > 1 && !o.get {
			t.Errorf("request %d, mood %d, was done %d times", id, o.mood, a.seen)
		} else if a.seen > 2 {
			t.Errorf("request %d was done %d times", id, a.seen)
		}
		if a.wrong != "" {
			t.Errorf("request %d: %s", id, a.wrong)
		}
	}
	h.mu.Unlock()
	if sink.cut.Load() > 0 {
		t.Errorf("%d exchanges are recorded as whole and are not", sink.cut.Load())
	}
	n := rec.Tally()
	t.Logf("%v; the recorder has served %d, recorded %d, dropped %v", counts, n.Served, n.Recorded, n.Dropped)
	for _, kind := range []string{"whole", "cut", "failed", "left"} {
		if counts[kind] == 0 {
			t.Errorf("the load did not meet the case %q", kind)
		}
	}
}

// judge compares what a client knows of its request with what the baseline does.
func judge(t *testing.T, h *hostile, id int, res result, counts map[string]int) {
	o := orderOf(id)
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.books[id]
	if a == nil {
		a = new(account)
	}
	for kind, is := range map[string]bool{"whole": res.whole, "cut": res.cut, "failed": res.failed, "left": res.left} {
		if is {
			counts[kind]++
		}
	}
	disturbed := a.killed || res.deaths > 0 || res.left
	switch {
	case res.whole && !o.mood.whole():
		t.Errorf("request %d, mood %d: an answer that broke off looks whole", id, o.mood)
	case res.whole && !a.answered:
		t.Errorf("request %d, mood %d: an answer that was not given", id, o.mood)
	case disturbed:
		counts["disturbed"]++
	case o.mood.whole() && !res.whole:
		t.Errorf("request %d, mood %d, %d up, %d down: the answer is not whole: %+v; the baseline: %+v", id, o.mood, o.up, o.down, res, *a)
	case res.sent && !o.get && o.mood.whole() && !a.uploaded:
		t.Errorf("request %d, mood %d, %d up: the upload is cut: %+v; the baseline: %+v", id, o.mood, o.up, res, *a)
	}
}
