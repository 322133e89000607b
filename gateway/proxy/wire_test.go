package proxy_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
	"understudy.dev/gateway/proxy"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// onlyWire skips a test of what net/http cannot do.
func onlyWire(t *testing.T) {
	t.Helper()
	if engine != proxy.EngineWire {
		t.Skip("net/http cannot")
	}
}

// hasty answers each request of a connection as soon as it has read its head,
// takes the body then, and tells its length.
func hasty(answer string, got chan<- int) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, r *bufio.Reader) {
		for h := head(r); h != ""; h = head(r) {
			io.WriteString(c, answer)
			n := 0
			if _, length, ok := strings.Cut(h, "Content-Length: "); ok {
				fmt.Sscan(length, &n)
				k, _ := io.CopyN(io.Discard, r, int64(n))
				n = int(k)
			} else {
				for line := "-"; line != "0\r\n" && line != ""; { // chunks of lines
					line, _ = r.ReadString('\n')
					n += len(line)
				}
				_, _ = r.ReadString('\n')
			}
			got <- n
		}
	}
}

// TestUploadGoesOnAfterItsAnswer: the upstream gets all of the body, the client
// all of the answer, and the next request of the connection is served.
func TestUploadGoesOnAfterItsAnswer(t *testing.T) {
	onlyWire(t)
	f := func(answer, request, rest, body string, want int) {
		t.Helper()
		got := make(chan int, 3)
		c, r := dial(t, proxyTo(t, rawUpstream(t, hasty(answer, got))))
		for range 3 {
			io.WriteString(c, request)
			h := head(r)
			b := make([]byte, len(body))
			_, err := io.ReadFull(r, b)
			if !strings.HasPrefix(h, "HTTP/1.1 200 ") || strings.Contains(h, "Connection:") || string(b) != body || err != nil {
				t.Fatalf("head %q, body %q, %v", h, b, err)
			}
			io.WriteString(c, rest)
			if n := <-got; n != want {
				t.Errorf("the upstream got %d bytes of %d", n, want)
			}
		}
	}
	long := strings.Repeat("x", 1<<20)
	post := "POST / HTTP/1.1\r\nHost: h\r\n"
	f(sized, post+"Content-Length: 10\r\n\r\nfirst", "other", "early", 10)
	f(chunked, post+"Content-Length: 1048581\r\n\r\nfirst", long, "5\r\nearly\r\n0\r\n\r\n", 1048581)
	f(sized, post+"Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n", "0\r\n\r\n", "early", 3+7+3)
}

// TestUploadThatNobodyTakes: the client gets the answer, and as the rest of its
// body comes soon enough, the next one too.
func TestUploadThatNobodyTakes(t *testing.T) {
	onlyWire(t)
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	dead := l.Addr().String()
	l.Close()
	closing := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		io.WriteString(c, "HTTP/1.1 413 Too Much\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = r.ReadString('5')
	})
	for upstream, status := range map[string]string{dead: "502 Bad Gateway", closing: "413 Too Much"} {
		c, r := dial(t, proxyTo(t, upstream))
		for range 2 {
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n12345")
			h := head(r)
			if !strings.HasPrefix(h, "HTTP/1.1 "+status+"\r\n") {
				t.Fatalf("got %q", h)
			}
			if status[0] == '5' {
				_, _ = r.ReadString('\n')
			}
			io.WriteString(c, strings.Repeat("x", 1000000-5))
		}
	}
}

// TestPipelinedRequestsAreAnsweredInOrder whatever the framing of their bodies.
func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		for h := head(r); h != ""; h = head(r) {
			target := strings.Fields(h)[1]
			switch {
			case strings.Contains(h, "Content-Length"):
				_, _ = io.CopyN(io.Discard, r, 5)
			case strings.Contains(h, "chunked"):
				_, _ = io.CopyN(io.Discard, r, int64(len("5\r\nhello\r\n0\r\n\r\n")))
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(target), target)
		}
	})
	c, r := dial(t, proxyTo(t, up))
	var all strings.Builder
	const n = 200
	for i := range n {
		fmt.Fprintf(&all, "POST /%d HTTP/1.1\r\nHost: h\r\n%s", i, []string{
			"Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "Content-Length: 5\r\n\r\nhello"}[i%3])
	}
	go func() {
		for rest := all.String(); rest != ""; {
			k := min(len(rest), 1+len(rest)%701)
			io.WriteString(c, rest[:k])
			rest = rest[k:]
		}
	}()
	for i := range n {
		head(r)
		want := fmt.Sprintf("/%d", i)
		b := make([]byte, len(want))
		if _, err := io.ReadFull(r, b); err != nil || string(b) != want {
			t.Fatalf("answer %d is %q, %v", i, b, err)
		}
	}
}

// TestHeadOfTheAnswerDoesNotWaitForItsBody, and survives when that never comes.
func TestHeadOfTheAnswerDoesNotWaitForItsBody(t *testing.T) {
	onlyWire(t)
	for _, framing := range []string{"Content-Length: 5", "Transfer-Encoding: chunked"} {
		goOn := make(chan struct{})
		c, r := dial(t, proxyTo(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
			head(r)
			io.WriteString(c, "HTTP/1.1 218 This Is Fine\r\n"+framing+"\r\n\r\n")
			<-goOn
		})))
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		if got, want := head(r), "HTTP/1.1 218 This Is Fine\r\n"+framing+"\r\n\r\n"; got != want {
			t.Errorf("got %q", got)
		}
		close(goOn)
		if b, err := io.ReadAll(r); len(b) > 0 || err != nil {
			t.Errorf("got %q, %v", b, err)
		}
	}
}

// TestHeadsPassAsTheyCame: order, case, blanks, reason phrases, statuses without
// a body, unasked 100s.
func TestHeadsPassAsTheyCame(t *testing.T) {
	onlyWire(t)
	const lines = "host:  h \r\nx-b: 1\r\nX-a:2\r\nACCEPT: */*\r\nx-B: \t3 \r\nEmpty:\r\n"
	if got := through(t, "\r\n\r\nGET /%zz?a=%u0041 HTTP/1.1\r\n"+lines+"\r\n"); got != "GET /%zz?a=%u0041 HTTP/1.1\r\n"+lines+"\r\n" {
		t.Errorf("got %q", got)
	}
	for _, answer := range []string{
		"HTTP/1.1 200 Aye\r\nx-b: 1\r\nDATE: x\r\nX-a:2\r\ncontent-length: 0\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Type: a/b\r\nContent-Length: 77\r\n\r\n",
		"HTTP/1.1 204\r\nX: 1\r\n\r\n",
		"HTTP/1.1 100 Go On\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
	} {
		want := answer[:len(answer)-len("\r\n")]
		got := respond(t, "GET", answer)
		if before, end, _ := strings.Cut(got, "Connection: close\r\n"); before+end != answer {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestBodiesInPieces: wherever the packets end, all of a chunked body passes, in
// both directions.
func TestBodiesInPieces(t *testing.T) {
	onlyWire(t)
	for _, section := range []string{"\r\n", "X-Sum: 1\r\n\r\n"} {
		body := "3\r\nabc\r\n0;last\r\n" + section
		for at := range len(body) {
			f := func(answer bool) {
				t.Helper()
				pieces := func(c io.Writer, first string) {
					io.WriteString(c, first+body[:at])
					time.Sleep(3 * time.Millisecond) // in packets of their own, as a rule
					io.WriteString(c, body[at:])
				}
				got := make(chan string, 1)
				c, r := dial(t, proxyTo(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
					_ = c.SetDeadline(time.Now().Add(20 * time.Second))
					head(r)
					if answer {
						pieces(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
						return
					}
					b := make([]byte, len(body))
					_, _ = io.ReadFull(r, b)
					got <- string(b)
				})))
				if answer {
					io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
					head(r)
					b := make([]byte, len(body))
					_, _ = io.ReadFull(r, b)
					got <- string(b)
				} else {
					pieces(c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
				}
				if b := <-got; b != body {
					t.Errorf("%q, then %q, answer %t: got %q", body[:at], body[at:], answer, b)
				}
			}
			f(true)
			f(false)
		}
	}
}

// TestOddAnswersPass that clients take when they are asked directly.
func TestOddAnswersPass(t *testing.T) {
	onlyWire(t)
	f := func(pieces []string, want string) {
		t.Helper()
		c, r := dial(t, proxyTo(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
			for h := head(r); h != ""; h = head(r) {
				for i, piece := range pieces {
					if i > 0 {
						time.Sleep(5 * time.Millisecond) // in packets of their own, as a rule
					}
					io.WriteString(c, piece)
				}
			}
		})))
		for range 2 {
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			b := make([]byte, len(want))
			if _, err := io.ReadFull(r, b); err != nil || string(b) != want {
				t.Fatalf("%q: got %q, want %q, %v", pieces, b, want, err)
			}
		}
	}
	const began = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
	f([]string{began + "Content-Length: 3\r\nX-Sum: 1\r\n\r\n"}, began+"X-Sum: 1\r\n\r\n")
	f([]string{began, "Content-Length: 3\r\n", "X-Sum: 1\r\n\r\n"}, began+"X-Sum: 1\r\n\r\n")
	f([]string{began + "Connection: close\r", "\n\r\n"}, began+"\r\n")
	f([]string{began + "X-Sum: 1\n\n"}, began+"X-Sum: 1\r\n\r\n")
	f([]string{began + "\n"}, began+"\r\n")
	f([]string{"HTTP/1.1 200 OK\r\nX-Old : \x1b[1m\r\nContent-Length: 0\r\n\r\n"}, "HTTP/1.1 200 OK\r\nX-Old:  \x1b[1m\r\nContent-Length: 0\r\n\r\n")
}

// TestOldClients get what they understand.
func TestOldClients(t *testing.T) {
	onlyWire(t)
	f := func(request, answer, want string) {
		t.Helper()
		c, r := dial(t, proxyTo(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) { head(r); io.WriteString(c, answer) })))
		io.WriteString(c, request)
		_ = c.(*net.TCPConn).CloseWrite()
		if b, err := io.ReadAll(r); string(b) != want || err != nil {
			t.Errorf("got %q, want %q, %v", b, want, err)
		}
	}
	const get = "GET / HTTP/1.0\r\n\r\n"
	f(get, "HTTP/1.1 200 OK\r\nTrailer: A\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n3;x=y\r\nand\r\n0\r\nA: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nearlyand")
	f(get, "HTTP/1.0 200 OK\r\nA: b\r\n\r\nto the end", "HTTP/1.0 200 OK\r\nA: b\r\nConnection: close\r\n\r\nto the end")
	f("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", sized, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nearly")
	f(get, "HTTP/1.1 103 Early Hints\r\n\r\n"+sized, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly")
}

// TestCutAnswerOfNoLengthIsACutConnection: nothing else tells the client.
func TestCutAnswerOfNoLengthIsACutConnection(t *testing.T) {
	onlyWire(t)
	c, r := dial(t, proxyTo(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nsome")
		time.Sleep(50 * time.Millisecond) // it must have gone through before the reset
		_ = c.(*net.TCPConn).SetLinger(0)
	})))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	head(r)
	if b, err := io.ReadAll(r); err == nil {
		t.Errorf("client took the cut body %q for whole", b)
	}
}

// TestUnannouncedCloses: an upstream that closes its connection after each
// answer costs no request, whatever the method, and sees none twice.
func TestUnannouncedCloses(t *testing.T) {
	onlyWire(t)
	var seen sync.Map
	var twice atomic.Int64
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		h := head(r)
		if _, again := seen.LoadOrStore(strings.Fields(h)[1], true); again {
			twice.Add(1)
		}
		io.WriteString(c, sized)
	})
	c, r := dial(t, proxyTo(t, up))
	for i := range 300 {
		if i%100 == 99 { // time enough to be trusted, if it were to be
			time.Sleep(3 * 50 * time.Millisecond)
		}
		fmt.Fprintf(c, "%s /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", []string{"POST", "GET"}[i%2], i)
		got := head(r)
		if _, err := io.CopyN(io.Discard, r, 5); !strings.HasPrefix(got, "HTTP/1.1 200 ") || err != nil {
			t.Fatalf("request %d: %q, %v", i, got, err)
		}
	}
	if twice.Load() > 0 {
		t.Errorf("%d requests came twice", twice.Load())
	}
}

// TestConnectIsRefused and ends the connection: what follows is not HTTP.
func TestConnectIsRefused(t *testing.T) {
	onlyWire(t)
	c, r := dial(t, proxyTo(t, rawUpstream(t, func(net.Conn, *bufio.Reader) { t.Error("sent on") })))
	io.WriteString(c, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if b, _ := io.ReadAll(r); !strings.HasPrefix(string(b), "HTTP/1.1 400 ") || strings.Count(string(b), "HTTP/1.1") != 1 {
		t.Errorf("got %q", b)
	}
}

// TestMaxConns: requests wait for one another, and none is lost.
func TestMaxConns(t *testing.T) {
	var open, most atomic.Int64
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		if n := open.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer open.Add(-1)
		for i := 0; i < 3 && head(r) != ""; i++ {
			io.WriteString(c, sized)
		}
	})
	address := proxyTo(t, up, func(c *proxy.Config) { c.MaxConns = 2 })
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			c, r := dial(t, address)
			for range 20 {
				io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				got := head(r)
				if _, err := io.CopyN(io.Discard, r, 5); !strings.HasPrefix(got, "HTTP/1.1 200 ") || err != nil {
					t.Errorf("got %q, %v", got, err)
					return
				}
			}
		})
	}
	clients.Wait()
	if most.Load() > 3 { // one may be closing
		t.Errorf("%d connections at once", most.Load())
	}
}

// TestShutdown closes idle connections, lets requests under way end, and says so
// to their clients.
func TestShutdown(t *testing.T) {
	onlyWire(t)
	asked, goOn := make(chan bool), make(chan bool)
	cfg := proxy.DefaultConfig()
	cfg.URL, cfg.Engine = "http://"+rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		for h := head(r); h != ""; h = head(r) {
			if strings.Contains(h, "/slow") {
				asked <- true
				<-goOn
			}
			io.WriteString(c, sized)
		}
	}), engine
	up, err := proxy.NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s := proxy.NewServer(up, proxy.Serving{HTTP2: new(http.Server)})
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	served, ended := make(chan error, 1), make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	idle, fromIdle := dial(t, l.Addr().String())
	io.WriteString(idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	head(fromIdle)
	_, _ = fromIdle.Discard(5)
	busy, fromBusy := dial(t, l.Addr().String())
	io.WriteString(busy, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	<-asked
	go func() { ended <- s.Shutdown(t.Context()) }()
	if b, err := io.ReadAll(fromIdle); len(b) > 0 || err != nil {
		t.Errorf("the idle connection: %q, %v", b, err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	select {
	case err := <-ended:
		t.Errorf("it did not wait for a request under way: %v", err)
	default:
	}
	goOn <- true
	if b, err := io.ReadAll(fromBusy); string(b) != "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly" || err != nil {
		t.Errorf("the busy connection: %q, %v", b, err)
	}
	busy.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// faulty is a tap that panics at the answer to /bad, and at the body of that to
// /half.
type faulty struct {
	bad, half bool
	closed    chan error
}

func (f faulty) Begin(r *wire.Request, _ string, _ bool, _ *visit.Visit) wire.Exchange {
	f.bad, f.half = string(r.Target) == "/bad", string(r.Target) == "/half"
	return f
}
func (f faulty) Answer(*wire.Response) {
	if f.bad {
		panic("no answer like this")
	}
}
func (f faulty) Body(side wire.Side, p []byte) {
	if f.half && side == wire.Server && string(p) == "other half" {
		panic("no body like this")
	}
}
func (f faulty) End(wire.Side, *wire.Head) {}
func (f faulty) Close(failure *understudyv1.TransportError) {
	if f.bad {
		f.closed <- nil
	}
}

// TestPanicEndsOneConnection and is told to the tap as such.
func TestPanicEndsOneConnection(t *testing.T) {
	onlyWire(t)
	cfg := proxy.DefaultConfig()
	cfg.URL, cfg.Engine = "http://"+rawUpstream(t, early(sized)), engine
	up, err := proxy.NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	tap := faulty{closed: make(chan error, 1)}
	s := proxy.NewServer(up, proxy.Serving{HTTP2: new(http.Server), Tap: tap})
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	for target, want := range map[string]string{"/bad": "", "/good": "early"} {
		c, r := dial(t, l.Addr().String())
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", target)
		if b, _ := io.ReadAll(r); !strings.HasSuffix(string(b), want) || want == "" && len(b) > 0 {
			t.Errorf("%s: got %q", target, b)
		}
	}
	<-tap.closed
}

// TestPanicWithinAnAnswerIsACutConnection: what the proxy had not passed on of
// an answer without a length must not look as if it had not been there.
func TestPanicWithinAnAnswerIsACutConnection(t *testing.T) {
	onlyWire(t)
	more := make(chan bool, 1)
	cfg := proxy.DefaultConfig()
	cfg.Engine = engine
	cfg.URL = "http://" + rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nhalf")
		<-more
		io.WriteString(c, "other half")
	})
	up, err := proxy.NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s := proxy.NewServer(up, proxy.Serving{HTTP2: new(http.Server), Tap: faulty{closed: make(chan error, 1)}})
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	c, r := dial(t, l.Addr().String())
	io.WriteString(c, "GET /half HTTP/1.1\r\nHost: h\r\n\r\n")
	head(r)
	if _, err := io.ReadFull(r, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	more <- true
	if b, err := io.ReadAll(r); err == nil {
		t.Errorf("client took the cut body, then %q, for whole", b)
	}
}

// TestBrokenUploadIsPassedOn: the baseline sees that the client has ended, and
// what it answers reaches that client.
func TestBrokenUploadIsPassedOn(t *testing.T) {
	onlyWire(t)
	for _, request := range []string{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"} {
		got := make(chan string, 1)
		c, r := dial(t, proxyTo(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
			b, err := io.ReadAll(r)
			got <- fmt.Sprint(string(b), err)
			io.WriteString(c, "HTTP/1.1 400 Too Short\r\nContent-Length: 0\r\n\r\n")
		})))
		io.WriteString(c, request)
		_ = c.(*net.TCPConn).CloseWrite()
		if b, err := io.ReadAll(r); !strings.HasPrefix(string(b), "HTTP/1.1 400 Too Short\r\n") || err != nil {
			t.Errorf("got %q, %v", b, err)
		}
		if saw := <-got; saw != request+"<nil>" {
			t.Errorf("the baseline saw %q", saw)
		}
	}
}

// TestRefusalsAreTold once for each connection that ends with a request of
// which nobody else knows.
func TestRefusalsAreTold(t *testing.T) {
	onlyWire(t)
	cfg := proxy.DefaultConfig()
	cfg.URL, cfg.Engine = "http://"+rawUpstream(t, hasty(sized, make(chan int, 100))), engine
	up, err := proxy.NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	var told atomic.Int64
	f := func(want int64, raw, status string) {
		t.Helper()
		told.Store(0)
		s := proxy.NewServer(up, proxy.Serving{HTTP2: new(http.Server), Refused: func() { told.Add(1) }})
		l, _ := net.Listen("tcp", "127.0.0.1:0")
		go func() { _ = s.Serve(l) }()
		c, r := dial(t, l.Addr().String())
		io.WriteString(c, raw)
		_ = c.(*net.TCPConn).CloseWrite()
		b, _ := io.ReadAll(r)
		s.Close()
		if told.Load() != want || !strings.Contains(string(b), status) {
			t.Errorf("%.40q: told %d times, answer %.60q", raw, told.Load(), b)
		}
	}
	const good = "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
	f(0, "", "")
	f(0, "\r\n", "")
	f(0, good, " 200 OK")
	f(0, good+good+"\r\n", " 200 OK")
	f(0, "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", " 400 ")
	f(1, "GET / HTTP/1.1\r\n\r\n", " 400 ")
	f(1, good+"GET / HTTP/1.1\r\n\r\n", " 400 ")
	f(1, "GET / HTTP/3.0\r\nHost: h\r\n\r\n", " 505 ")
	f(1, "GET / HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("x", 2<<20)+"\r\n\r\n", " 431 ")
	f(1, "GET", "")
	f(1, good+"GET / HTTP/1.1\r\nHo", " 200 OK")
	f(0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "")
}

// TestLoopIsRefused: what the proxy has sent on itself does not go round.
func TestLoopIsRefused(t *testing.T) {
	onlyWire(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := proxy.DefaultConfig()
	cfg.URL, cfg.Engine = "http://"+l.Addr().String(), engine // itself
	up, err := proxy.NewUpstream(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	var met atomic.Int64
	s := proxy.NewServer(up, proxy.Serving{HTTP2: new(http.Server), Mark: proxy.Mark{Name: "X-Hop", Value: "me", Met: func() { met.Add(1) }}})
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	c, r := dial(t, l.Addr().String())
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nx-hop: another\r\n\r\n")
	if got := head(r); !strings.HasPrefix(got, "HTTP/1.1 508 Loop Detected\r\n") || met.Load() != 1 {
		t.Errorf("got %q, met %d", got, met.Load())
	}
}
