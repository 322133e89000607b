package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"understudy.dev/gateway/proxy"
)

// early answers every connection once, as soon as it has read a head, and
// reads on until the connection ends.
func early(answer string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, r *bufio.Reader) {
		head(r)
		io.WriteString(c, answer)
		_, _ = io.Copy(io.Discard, r)
	}
}

const (
	sized   = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"
	chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n0\r\n\r\n"
	next    = "POST /next HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
)

// TestUnreadBodyClosesTheConnection sends the rest of the body and a further
// request in one write after the answer: a reader that skips the rest to its end
// has the next request in the same buffer.
func TestUnreadBodyClosesTheConnection(t *testing.T) {
	if engine == proxy.EngineWire {
		t.Skip("it keeps the connection: TestUploadGoesOnAfterItsAnswer")
	}
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	dead := l.Addr().String()
	l.Close()
	f := func(upstream, request, rest, status, body string) {
		t.Helper()
		c, r := dial(t, proxyTo(t, upstream))
		io.WriteString(c, request)
		got := head(r)
		if !strings.HasPrefix(got, "HTTP/1.1 "+status) || !strings.Contains(got, "\r\nConnection: close\r\n") {
			t.Errorf("%q: head %q", request, got)
		}
		io.WriteString(c, rest+next)
		b, err := io.ReadAll(r)
		if err != nil || string(b) != body {
			t.Errorf("%q: body %q, want %q, then the end; %v", request, b, body, err)
		}
	}
	const (
		post  = "POST / HTTP/1.1\r\nHost: h\r\n"
		half  = post + "Content-Length: 10\r\n\r\nfirst"
		chunk = post + "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
		asks  = post + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"
		bad   = "502 Bad Gateway: the upstream could not be reached\n"
	)
	inChunks := "5\r\nearly\r\n0\r\n\r\n"
	for _, rest := range []string{"other", "other" + strings.Repeat("x", 1<<20)} {
		n := len("first") + len(rest)
		long := fmt.Sprintf("%sContent-Length: %d\r\n\r\nfirst", post, n)
		f(rawUpstream(t, early(sized)), long, rest, "200", "early")
		f(dead, long, rest, "502", bad)
		f(rawUpstream(t, early(sized)), chunk, fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(rest), rest), "200", "early")
		f(rawUpstream(t, early(chunked)), chunk, fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(rest), rest), "200", inChunks)
	}
	f(rawUpstream(t, early(chunked)), half, "other", "200", inChunks)
	f(dead, chunk, "0\r\n\r\n", "502", bad)
	f(rawUpstream(t, early(sized)), asks, "body", "200", "early")
}

func TestInformationalAnswerDoesNotAnnounceTheClose(t *testing.T) {
	c, r := dial(t, proxyTo(t, rawUpstream(t, early("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"+sized))))
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nfirst")
	if got := head(r); got != "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" {
		t.Errorf("got %q", got)
	}
	if got := head(r); strings.Contains(got, "\r\nConnection: close\r\n") != wants(true, false) {
		t.Errorf("got %q", got)
	}
}

// TestReadBodyKeepsTheConnection is the ordinary case.
func TestReadBodyKeepsTheConnection(t *testing.T) {
	up := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	c, r := dial(t, proxyTo(t, up))
	for _, body := range []string{"Content-Length: 2\r\n\r\nhi", "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
		"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"} {
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\n"+body)
		got := head(r)
		if strings.HasPrefix(got, "HTTP/1.1 100 ") {
			got = head(r)
		}
		if !strings.HasPrefix(got, "HTTP/1.1 200 ") || strings.Contains(got, "Connection:") {
			t.Errorf("%q: got %q", body, got)
		}
	}
}

// TestCutAnswerReachesAClientThatWithholdsItsBody: the connection does not
// wait for the rest of the body.
func TestCutAnswerReachesAClientThatWithholdsItsBody(t *testing.T) {
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\near")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, r)
	})
	c, r := dial(t, proxyTo(t, up))
	start := time.Now()
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nfirst")
	_, _ = io.Copy(io.Discard, r)
	if d := time.Since(start); d > 4*time.Second {
		t.Errorf("the cut was seen after %v", d)
	}
}

func TestUpgradeBeforeTheBodyIsThroughIsRefused(t *testing.T) {
	c, r := dial(t, proxyTo(t, rawUpstream(t, early("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"))))
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 10\r\n\r\nfirst")
	if got := head(r); !strings.HasPrefix(got, "HTTP/1.1 502 ") || strings.Contains(got, "\r\nConnection: close\r\n") != wants(true, false) {
		t.Errorf("got %q", got)
	}
}

func TestUnreadBodyLeavesHTTP2Alone(t *testing.T) {
	client, address := h2cClient(t), proxyTo(t, rawUpstream(t, early(sized)))
	for i := range 5 {
		body, more := io.Pipe()
		request, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GotConn: func(c httptrace.GotConnInfo) {
				if i > 0 && !c.Reused {
					t.Error("the connection was closed for one stream's body")
				}
			}}), "POST", "http://"+address+"/", body)
		go io.WriteString(more, "first")
		r, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		if err != nil || string(b) != "early" || r.Header.Get("Connection") != "" {
			t.Errorf("got %q, %v, %v", b, r.Header, err)
		}
		more.Close()
	}
}
