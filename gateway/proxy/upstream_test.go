package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"understudy.dev/gateway/proxy"
)

// engine is the engine under test.
var engine string

// bothEngines runs all tests on either engine.
type bothEngines struct{ m *testing.M }

func (b bothEngines) Run() int {
	failed := 0
	for _, engine = range []string{proxy.EngineNetHTTP, proxy.EngineWire} {
		if code := b.m.Run(); code != 0 {
			fmt.Println("FAIL with engine", engine)
			failed = code
		}
	}
	return failed
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(bothEngines{m},
		// Keep-alive connections end by their idle timeout.
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// wants is what is expected of either engine.
func wants[T any](netHTTP, wire T) T {
	if engine == proxy.EngineWire {
		return wire
	}
	return netHTTP
}

// proxyTo starts a proxy that speaks HTTP/1.1 and h2c and returns its address.
func proxyTo(t testing.TB, upstream string, change ...func(*proxy.Config)) string {
	t.Helper()
	c := proxy.DefaultConfig()
	c.URL, c.Engine = "http://"+upstream, engine
	for _, f := range change {
		f(&c)
	}
	return start(context.Background(), t, c, func(h http.Handler) http.Handler { return h })
}

// start starts a proxy and returns its address. base is the context of net/http's
// server.
func start(base context.Context, t testing.TB, c proxy.Config, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	up, err := proxy.NewUpstream(c, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	h := &http.Server{
		Handler: wrap(up), DisableGeneralOptionsHandler: true, Protocols: new(http.Protocols),
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), BaseContext: func(net.Listener) context.Context { return base },
	}
	h.Protocols.SetHTTP1(true)
	h.Protocols.SetUnencryptedHTTP2(true)
	var s interface {
		Serve(net.Listener) error
		Close() error
	} = h
	if c.OnWire() {
		s = proxy.NewServer(up, proxy.Serving{HTTP2: h})
		context.AfterFunc(base, func() { s.Close() })
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.DisableGeneralOptionsHandler = true
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// rawUpstream answers every connection with f and returns its address.
func rawUpstream(t testing.TB, f func(net.Conn, *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c, bufio.NewReader(c))
			}()
		}
	}()
	return l.Addr().String()
}

func dial(t testing.TB, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { c.Close() })
	return c, bufio.NewReader(c)
}

// head reads a message's head as it is on the wire.
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

// through sends one raw request and returns the head the upstream received.
func through(t *testing.T, request string, change ...func(*proxy.Config)) string {
	t.Helper()
	got := make(chan string, 1)
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		got <- head(r)
		io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	})
	c, r := dial(t, proxyTo(t, up, change...))
	io.WriteString(c, request)
	status, err := r.ReadString('\n')
	if err != nil || !strings.Contains(status, "204") {
		t.Fatalf("status line %q, error %v", status, err)
	}
	return <-got
}

func TestRequestLineIsKeptByteForByte(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got := through(t, "GET "+in+" HTTP/1.1\r\nHost: h\r\n\r\n")
		line, _, _ := strings.Cut(got, "\r\n")
		if diff := cmp.Diff("GET "+want+" HTTP/1.1", line); diff != "" {
			t.Errorf("%s: -want +got\n%s", in, diff)
		}
	}
	same := func(in string) { t.Helper(); f(in, in) }
	same("/")
	same("/a%2Fb/%e4%f6/c%20d")
	same("/a/../b/./c")
	same("/a//b")
	same("//a/b?x=1")
	same(`/"<>^|{}~[]`)
	same("/caf\xc3\xa9/\xff")
	same("/p?")
	same("/p?a=1;b=2&c=%zz&&=&d")
	same("/p?a=b?c#d")
	same("/#frag")
	f("http://other/abs?x=%2f", "/abs?x=%2f")
	f("http://other?x", "/?x")
}

func TestOptionsAsterisk(t *testing.T) {
	got := through(t, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")
	if !strings.HasPrefix(got, "OPTIONS * HTTP/1.1\r\n") {
		t.Errorf("got %q", got)
	}
}

func TestRequestHeadersAreKept(t *testing.T) {
	f := func(in, want string, change ...func(*proxy.Config)) {
		t.Helper()
		got := through(t, "POST /x HTTP/1.1\r\n"+in+"\r\n", change...)
		if diff := cmp.Diff("POST /x HTTP/1.1\r\n"+want+"\r\n", got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	f("Host: client.example\r\nContent-Length: 0\r\n",
		"Host: client.example\r\nContent-Length: 0\r\n")
	f("Host: h\r\nUser-Agent: curl\r\nContent-Length: 0\r\nX-A: 1\r\nX-A: \xe4 2,3\r\n",
		"Host: h\r\nUser-Agent: curl\r\nContent-Length: 0\r\nX-A: 1\r\nX-A: \xe4 2,3\r\n")
	f("Host: h\r\nContent-Length: 0\r\nForwarded: for=1\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: w\r\nX-Forwarded-Proto: https\r\n",
		"Host: h\r\nContent-Length: 0\r\nForwarded: for=1\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: w\r\nX-Forwarded-Proto: https\r\n")
	f("Host: h\r\nContent-Length: 0\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTe: gzip, trailers\r\nProxy-Connection: a\r\n",
		"Host: h\r\nContent-Length: 0\r\nTe: trailers\r\n")
	f("Host: h\r\nContent-Length: 0\r\nIdempotency-Key: k\r\n",
		"Host: h\r\nContent-Length: 0\r\n"+wants("idempotency-key", "Idempotency-Key")+": k\r\n")
	f("Host: h\r\nContent-Length: 0\r\nX-Forwarded-For: 1.2.3.4\r\n",
		"Host: h\r\nContent-Length: 0\r\nX-Forwarded-For: 1.2.3.4, 127.0.0.1\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\n",
		func(c *proxy.Config) { c.Forwarded = proxy.ForwardedAppend })
	f("Host: h\r\nContent-Length: 0\r\n",
		"Host: fixed.example\r\nContent-Length: 0\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\n",
		func(c *proxy.Config) { c.Host, c.Forwarded = "fixed.example", proxy.ForwardedAppend })
	f("Host: h\r\nContent-Length: 0\r\n", "Host: fixed.example\r\nContent-Length: 0\r\n",
		func(c *proxy.Config) { c.Host = "fixed.example" })
}

func TestZeroLengthIsKept(t *testing.T) {
	for _, method := range []string{"GET", "DELETE", "PUT", "PATCH", "OPTIONS"} {
		got := through(t, method+" /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
		if !strings.Contains(strings.ToLower(got), "content-length: 0\r\n") {
			t.Errorf("%s: Content-Length: 0 was lost: %q", method, got)
		}
		if got := through(t, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"); strings.Contains(strings.ToLower(got), "content-length") {
			t.Errorf("a length was invented: %q", got)
		}
	}
}

// respond returns what a client gets for GET / when the upstream answers with
// these bytes and closes.
func respond(t *testing.T, method, raw string) string {
	t.Helper()
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		io.WriteString(c, raw)
	})
	c, r := dial(t, proxyTo(t, up))
	fmt.Fprintf(c, "%s / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", method)
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestResponseIsKept(t *testing.T) {
	f := func(method, in, want string) {
		t.Helper()
		if diff := cmp.Diff(want, respond(t, method, in)); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	f("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX: \xe4\r\n\r\nhi",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX: \xe4\r\nConnection: close\r\n\r\nhi")
	f("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\n")
	f("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	f("GET", "HTTP/1.1 302 Found\r\nLocation: http://a/b c\r\nContent-Length: 0\r\nDate: now\r\n\r\n",
		wants("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nDate: now\r\nLocation: http://a/b c\r\nConnection: close\r\n\r\n",
			"HTTP/1.1 302 Found\r\nLocation: http://a/b c\r\nContent-Length: 0\r\nDate: now\r\nConnection: close\r\n\r\n"))
	f("GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
	f("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\nX-More: 8\r\n\r\n",
		wants("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-More: 8\r\nX-Sum: 7\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\nX-More: 8\r\n\r\n"))
}

func TestUpstreamFailures(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := respond(t, "GET", in); !strings.Contains(got, want) {
			t.Errorf("upstream sent %q: want %q in %q", in, want, got)
		}
	}
	f("", "502 Bad Gateway: the upstream broke the connection\n")
	f("nonsense\r\n\r\n", "502 Bad Gateway: the upstream's answer is not valid HTTP\n")
	f("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "502 Bad Gateway: the upstream's answer is not valid HTTP\n")
	f("HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n", "502 Bad Gateway: the upstream's answer is not valid HTTP\n")
	f("HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n", "502 Bad Gateway: the upstream's answer is not valid HTTP\n")
	f("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "502 Bad Gateway: the upstream's answer is not valid HTTP\n")
	closed := rawUpstream(t, func(net.Conn, *bufio.Reader) {})
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	refusing := l.Addr().String()
	l.Close()
	get := func(proxy string) (int, string) {
		r, err := http.Get("http://" + proxy + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		return r.StatusCode, string(b)
	}
	if code, body := get(proxyTo(t, refusing)); code != 502 || body != "502 Bad Gateway: the upstream could not be reached\n" {
		t.Errorf("refused: %d %q", code, body)
	}
	if code, _ := get(proxyTo(t, closed)); code != 502 {
		t.Errorf("closed: %d", code)
	}
	slow := rawUpstream(t, func(_ net.Conn, r *bufio.Reader) { head(r); _, _ = r.ReadByte() })
	code, body := get(proxyTo(t, slow, func(c *proxy.Config) { c.ResponseTimeout = 20 * time.Millisecond }))
	if code != 504 || body != "504 Gateway Timeout: the upstream did not answer in time\n" {
		t.Errorf("slow: %d %q", code, body)
	}
}

func TestCutResponseNeverLooksWhole(t *testing.T) {
	f := func(raw string) {
		t.Helper()
		up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) { head(r); io.WriteString(c, raw) })
		r, err := http.Get("http://" + proxyTo(t, up) + "/")
		if err != nil {
			return
		}
		defer r.Body.Close()
		if b, err := io.ReadAll(r.Body); err == nil {
			t.Errorf("client took the cut body %q for whole", b)
		}
	}
	f("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
}

// TestCutChunksNeverLookWholeToOldClients: HTTP/1.0 has no chunks, so that only
// a reset says that there should be more.
func TestCutChunksNeverLookWholeToOldClients(t *testing.T) {
	const began = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"
	for _, rest := range []string{"", "5\r\nth", "0\r\n", "0\r\nA: b\r\n", "5\r\nthingXX0\r\n\r\n", "x\r\n"} {
		c, r := dial(t, proxyTo(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) { head(r); io.WriteString(c, began+rest) })))
		io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
		if b, err := io.ReadAll(r); err == nil {
			t.Errorf("after %q: client took the cut body %q for whole", rest, b)
		}
	}
}

func TestNonIdempotentRequestIsSentOnce(t *testing.T) {
	var seen atomic.Int64
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		seen.Add(1)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		// The second request on the connection is received and not answered.
		if h := head(r); h != "" {
			seen.Add(1)
		}
	})
	proxy := proxyTo(t, up)
	for range 2 {
		request, _ := http.NewRequest("POST", "http://"+proxy+"/", nil)
		request.Header.Set("Idempotency-Key", "k")
		r, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
	}
	if got := seen.Load(); got != 2 {
		t.Errorf("upstream saw %d requests for 2", got)
	}
}

func TestRequestTrailersAndChunks(t *testing.T) {
	got := make(chan http.Header, 1)
	up := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Trailer
	}))
	c, r := dial(t, proxyTo(t, up))
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\nX-More: 8\r\n\r\n")
	head(r)
	if diff := cmp.Diff(http.Header{"X-Sum": {"7"}, "X-More": {"8"}}, <-got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestExpectContinueGoesThrough(t *testing.T) {
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		if h := head(r); strings.Contains(h, "/yes") {
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			b := make([]byte, 2)
			_, _ = io.ReadFull(r, b)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%s", b)
			return
		}
		io.WriteString(c, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
	})
	proxy := proxyTo(t, up, func(c *proxy.Config) { c.ContinueTimeout = 10 * time.Second })
	c, r := dial(t, proxy)
	io.WriteString(c, "PUT /yes HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	if got := head(r); got != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Fatalf("got %q", got)
	}
	io.WriteString(c, "hi")
	if got := head(r); !strings.HasPrefix(got, "HTTP/1.1 200 OK") {
		t.Errorf("got %q", got)
	}
	c, r = dial(t, proxy)
	io.WriteString(c, "PUT /no HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	if got := head(r); !strings.HasPrefix(got, "HTTP/1.1 417") {
		t.Errorf("the upstream's refusal did not come first: %q %q", got, head(r))
	}
}

func TestUpgradeToHTTP2IsNotSentOn(t *testing.T) {
	f := func(upgrade, want string) {
		t.Helper()
		got := through(t, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "+upgrade+"\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
		if want := "GET / HTTP/1.1\r\nHost: h\r\n" + want + "\r\n"; got != want {
			t.Errorf("%s: got %q, want %q", upgrade, got, want)
		}
	}
	f("h2c", "")
	f("H2C, websocket", "Connection: Upgrade\r\nUpgrade: websocket\r\n")
	if got := through(t, "GET / HTTP/1.1\r\nHost: h\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"); strings.Contains(got, "HTTP2") {
		t.Errorf("not nominated: got %q", got)
	}
	unasked := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
	})
	c, r := dial(t, proxyTo(t, unasked))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
	if got := head(r); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
		t.Errorf("an upstream that switches unasked: %q", got)
	}
}

func TestUpgradeKeepsEarlyBytes(t *testing.T) {
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX: 1\r\n\r\nearly-down ")
		_, _ = io.Copy(c, r)
	})
	c, r := dial(t, proxyTo(t, up))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly-up ")
	if got := head(r); got != "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX: 1\r\n\r\n" {
		t.Fatalf("got %q", got)
	}
	io.WriteString(c, "later")
	_ = c.(*net.TCPConn).CloseWrite()
	b, err := io.ReadAll(r)
	if got := string(b); err != nil || got != "early-down early-up later" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEventsArriveAsTheyAreSent(t *testing.T) {
	next := make(chan struct{}, 1)
	up := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if r.URL.Path == "/known" {
			w.Header().Set("Content-Length", "18")
		}
		w.(http.Flusher).Flush()
		for i := range 2 {
			<-next
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
		}
	}))
	proxy := proxyTo(t, up)
	for _, path := range []string{"/", "/known"} {
		// A head of known length leaves with the first byte of its body.
		next <- struct{}{}
		r, err := http.Get("http://" + proxy + path)
		if err != nil {
			t.Fatal(err)
		}
		events := textproto.NewReader(bufio.NewReader(r.Body))
		for i := range 2 {
			line, err := events.ReadLine()
			if want := fmt.Sprintf("data: %d", i); err != nil || line != want {
				t.Fatalf("want %q, got %q, %v", want, line, err)
			}
			_, _ = events.ReadLine()
			if i == 0 {
				next <- struct{}{}
			}
		}
		r.Body.Close()
	}
}

func TestClientAbortCancelsTheUpstream(t *testing.T) {
	canceled, started := make(chan struct{}), make(chan struct{})
	up := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
		close(canceled)
	}))
	c, _ := dial(t, proxyTo(t, up, func(c *proxy.Config) { c.HalfCloseTimeout = time.Millisecond }))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-started
	c.Close()
	<-canceled
}

func h2cClient(t testing.TB) *http.Client {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: p}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestGRPCTrailers(t *testing.T) {
	up := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.Header.Get("Te") != "trailers" {
			w.WriteHeader(http.StatusHTTPVersionNotSupported)
			return
		}
		w.Header().Set("Content-Type", "application/grpc")
		if r.URL.Path == "/only" {
			w.Header().Set("Grpc-Status", "5")
			return
		}
		_, _ = io.Copy(w, r.Body)
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	}))
	client, proxy := h2cClient(t), proxyTo(t, up)
	call := func(path, contentType string) *http.Response {
		request, _ := http.NewRequestWithContext(context.Background(), "POST", "http://"+proxy+path, io.NopCloser(strings.NewReader("message")))
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("Te", "trailers")
		r, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		if err != nil || (path == "/echo" && string(b) != "message") {
			t.Fatalf("body %q, %v", b, err)
		}
		return r
	}
	for range 50 {
		if r := call("/echo", "application/grpc+proto"); r.Trailer.Get("Grpc-Status") != "0" {
			t.Fatalf("trailer lost: %v %v", r.Header, r.Trailer)
		}
		// Trailers-only: the head ends the stream, so there is no length to wait for.
		if r := call("/only", "Application/gRPC"); r.Header.Get("Grpc-Status") != "5" || r.ContentLength != 0 {
			t.Fatalf("trailers-only answer changed: %v, length %d", r.Header, r.ContentLength)
		}
	}
}

func TestHTTP2TargetThatHTTP1CannotCarryIsRefused(t *testing.T) {
	var seen atomic.Bool
	up := rawUpstream(t, func(_ net.Conn, r *bufio.Reader) { head(r); seen.Store(true) })
	c := proxy.DefaultConfig()
	c.URL = "http://" + up
	h, err := proxy.NewUpstream(c, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest("GET", "/", nil)
	request.RequestURI = "/a HTTP/1.1\r\nX: y"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request)
	if w.Code != http.StatusBadRequest || seen.Load() {
		t.Errorf("status %d, sent on: %t", w.Code, seen.Load())
	}
}

func TestBodiesSurviveLoad(t *testing.T) {
	up := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	}))
	proxy := proxyTo(t, up)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	defer client.CloseIdleConnections()
	errs := make(chan error, 16)
	for range 16 {
		go func() {
			for i := range 60 {
				body := strings.Repeat("x", 1+i*97)
				r, err := client.Post("http://"+proxy+"/", "text/plain", strings.NewReader(body))
				if err != nil {
					errs <- err
					return
				}
				b, err := io.ReadAll(r.Body)
				r.Body.Close()
				if err != nil || string(b) != body {
					errs <- fmt.Errorf("%d of %d bytes came back: %w", len(b), len(body), err)
					return
				}
			}
			errs <- nil
		}()
	}
	for range 16 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestValidateNamesEveryMistake(t *testing.T) {
	f := func(change func(*proxy.Config), want ...string) {
		t.Helper()
		c := proxy.DefaultConfig()
		c.URL = "http://h"
		change(&c)
		err := c.Validate()
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("want %q in %v", w, err)
			}
		}
		if len(want) == 0 && err != nil {
			t.Error(err)
		}
	}
	f(func(*proxy.Config) {})
	f(func(c *proxy.Config) { c.URL = "h:80"; c.Protocol = "x"; c.MaxIdleConns = 0 }, "url", "protocol", "max_idle_conns")
	f(func(c *proxy.Config) { c.URL = "http://h/path" }, "scheme and host only")
	f(func(c *proxy.Config) { c.URL = "https://h"; c.Protocol = "h2c" }, "without TLS")
}
