package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy.dev/gateway/proxy"
)

// hints is one 103 with n header lines.
func hints(n int) string {
	var b strings.Builder
	b.WriteString("HTTP/1.1 103 Early Hints\r\n")
	for i := range n {
		fmt.Fprintf(&b, "A%04d: b\r\n", i)
	}
	return b.String() + "\r\n"
}

// TestStreamResetWhileHintsPass: a map that net/http's HTTP/2 server writes
// from must not change, and a client that resets its stream makes WriteHeader
// return while it does. It ended the process; the race detector sees it at once.
func TestStreamResetWhileHintsPass(t *testing.T) {
	many := strings.Repeat(hints(1500), 40)
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		io.WriteString(c, many+sized)
		_, _ = io.Copy(io.Discard, r)
	})
	address := proxyTo(t, up)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			client := h2cClient(t)
			for range 10 {
				ctx, reset := context.WithCancel(t.Context())
				ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
					Got1xxResponse: func(int, textproto.MIMEHeader) error { reset(); return nil },
				})
				request, _ := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/", http.NoBody)
				if r, err := client.Do(request); err == nil {
					r.Body.Close()
				}
				reset()
			}
		})
	}
	clients.Wait()
	client := h2cClient(t)
	seen := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			if seen++; len(h) != 1500 || h.Get("A0007") != "b" {
				t.Errorf("a 103 of %d lines", len(h))
			}
			return nil
		},
	})
	request, _ := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/", http.NoBody)
	r, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); seen != 40 || string(b) != "early" || r.Header.Get("A0007") != "" || err != nil {
		t.Errorf("%d times 103, then %q %v, %v", seen, b, r.Header, err)
	}
}

// TestHintsBesideContinue: what the upstream says before and after it asks for
// the body comes as it is, and the client is asked once.
func TestHintsBesideContinue(t *testing.T) {
	hint := hints(450) // beyond the server's buffer of 4 KiB
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		io.WriteString(c, hint+hint+"HTTP/1.1 100 Continue\r\n\r\n"+strings.Repeat(hint, 12))
		_, _ = io.ReadFull(r, make([]byte, 5))
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
	})
	address := proxyTo(t, up)
	for range 100 {
		c, r := dial(t, address)
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde")
		got, err := io.ReadAll(r)
		c.Close()
		count := map[string]int{}
		for _, part := range strings.SplitAfter(string(got), "\r\n\r\n") {
			switch {
			case part == hint:
				count["103"]++
			case part == "HTTP/1.1 100 Continue\r\n\r\n":
				count["100"]++
			case strings.HasPrefix(part, "HTTP/1.1 200 OK\r\n"):
				count["200"]++
			case part == "hi":
			default:
				t.Fatalf("not as it was sent: %.200q", part)
			}
		}
		if err != nil || count["103"] != 14 || count["100"] != 1 || count["200"] != 1 {
			t.Fatalf("got %v, %v", count, err)
		}
	}
}

// TestHintsForOneClientDelayNoOther: over HTTP/2 all requests share a connection
// to the upstream, and a client that does not read must not stop it.
func TestHintsForOneClientDelayNoOther(t *testing.T) {
	flooded := make(chan struct{})
	up := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/flood" {
			w.Header().Set("Link", "</a>")
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = io.WriteString(w, "hi")
			return
		}
		w.Header().Set("Link", strings.Repeat("x", 100<<10))
		for range 200 { // beyond the buffers of both sockets
			w.WriteHeader(http.StatusEarlyHints)
		}
		close(flooded)
		<-r.Context().Done()
	}))
	address := proxyTo(t, up, func(c *proxy.Config) { c.Protocol, c.HalfCloseTimeout = proxy.ProtocolH2C, 0 })
	c, _ := dial(t, address)
	io.WriteString(c, "GET /flood HTTP/1.1\r\nHost: h\r\n\r\n")
	select {
	case <-flooded:
	case <-time.After(5 * time.Second): // the flood is dammed up, which the next request will show
	}
	d, r := dial(t, address)
	io.WriteString(d, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if first, then := head(r), head(r); !strings.HasPrefix(first, "HTTP/1.1 103 ") || !strings.HasPrefix(then, "HTTP/1.1 200 ") {
		t.Errorf("got %q, then %q", first, then)
	}
	c.Close()
}
