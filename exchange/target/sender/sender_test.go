package sender_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/target/sender"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config(engine string, change func(*sender.Config)) sender.Config {
	cfg := sender.Config{
		Engine: engine, Timeout: 5 * time.Second, CaptureLimit: 1 << 10, Connections: 100,
		Dial: (&net.Dialer{}).DialContext, Resent: func() {},
	}
	if change != nil {
		change(&cfg)
	}
	return cfg
}

// both runs a test with each engine.
func both(t *testing.T, f func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range sender.Engines() {
		t.Run(strings.ReplaceAll(engine, "/", " "), func(t *testing.T) { f(t, engine) })
	}
}

func request(method, address, target string) sender.Request {
	return sender.Request{HTTP: &http.Request{
		Method: method, URL: &url.URL{Scheme: "http", Host: address, Opaque: target}, Host: "shop.example",
		Header: http.Header{"User-Agent": nil}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}}
}

// told is what came of an exchange, in words.
func told(r *understudyv1.Response, err error) string {
	if err != nil {
		return strings.TrimPrefix(message.TransportError(err).GetKind().String(), "KIND_")
	}
	out := fmt.Sprintf("%d %q of %d", r.GetStatus(), r.GetBody().GetContent(), r.GetBody().GetLength())
	for _, h := range r.GetTrailers() {
		out += fmt.Sprintf(" %s=%s", h.GetName(), h.GetValue())
	}
	return out
}

// server is one whose every connection is handled by serve, which gets the
// number of the connection, from 1. What came is kept.
type server struct {
	net.Listener
	mu   sync.Mutex
	came map[int]*strings.Builder
	open sync.WaitGroup
}

func serve(t *testing.T, handle func(n int, c net.Conn, in *bufio.Reader)) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: ln, came: map[int]*strings.Builder{}}
	s.open.Go(func() {
		for n := 1; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.came[n] = new(strings.Builder)
			s.mu.Unlock()
			s.open.Go(func() {
				defer c.Close()
				handle(n, c, bufio.NewReader(io.TeeReader(c, counted{s, n})))
			})
		}
	})
	t.Cleanup(func() { ln.Close(); s.open.Wait() })
	return s
}

type counted struct {
	s *server
	n int
}

func (c counted) Write(p []byte) (int, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.came[c.n].Write(p)
}

func (s *server) address() string { return s.Addr().String() }

// all is what came over every connection.
func (s *server) all() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := 1; n <= len(s.came); n++ {
		out = append(out, s.came[n].String())
	}
	return out
}

// answers answers each request, whose head it reads, with text.
func answers(text string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, in *bufio.Reader) {
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// TestBytes: what stands on the wire is what was recorded.
func TestBytes(t *testing.T) {
	both(t, func(t *testing.T, engine string) {
		f := func(change func(*sender.Request), want string) {
			t.Helper()
			s := serve(t, answers(ok))
			client := sender.New(config(engine, nil))
			defer client.Close()
			q := request("POST", s.address(), "/a%2fb//c;d=%20")
			change(&q)
			if got := told(client.Exchange(t.Context(), q)); got != `200 "ok" of 2` {
				t.Fatalf("got %s", got)
			}
			if got := s.all(); len(got) != 1 || got[0] != want {
				t.Errorf("sent %q, want %q", got, want)
			}
		}
		f(func(q *sender.Request) { q.Body = []byte("x=1") },
			"POST /a%2fb//c;d=%20 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 3\r\n\r\nx=1")
		f(func(q *sender.Request) { q.HTTP.URL.RawQuery = "a=%&b" }, "POST /a%2fb//c;d=%20?a=%&b HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n")
		f(func(q *sender.Request) { q.HTTP.Method, q.HTTP.URL.ForceQuery = "DELETE", true }, "DELETE /a%2fb//c;d=%20? HTTP/1.1\r\nHost: shop.example\r\n\r\n")
		f(func(q *sender.Request) { q.HTTP.Method, q.HTTP.URL.Opaque = "OPTIONS", "*" }, "OPTIONS * HTTP/1.1\r\nHost: shop.example\r\n\r\n")
		f(func(q *sender.Request) { q.HTTP.Method, q.HTTP.URL.Opaque = "GET", "http://shop.example/x" },
			"GET http://shop.example/x HTTP/1.1\r\nHost: shop.example\r\n\r\n")
		f(func(q *sender.Request) {
			q.HTTP.Method, q.Body, q.HTTP.TransferEncoding = "GET", []byte("find"), []string{"chunked"}
		}, "GET /a%2fb//c;d=%20 HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfind\r\n0\r\n\r\n")
		f(func(q *sender.Request) {
			q.Body, q.HTTP.TransferEncoding = []byte("hello"), []string{"chunked"}
			q.HTTP.Trailer = http.Header{"X-Sum": {"7"}, "X-Also": {"8"}}
		}, "POST /a%2fb//c;d=%20 HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\nTrailer: X-Also,X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Also: 8\r\nX-Sum: 7\r\n\r\n")
		f(func(q *sender.Request) {
			q.HTTP.TransferEncoding = []string{"chunked"}
		}, "POST /a%2fb//c;d=%20 HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	})
}

// TestLargeBodies go out whole, in either framing, over the connection that the
// next request takes.
func TestLargeBodies(t *testing.T) {
	both(t, func(t *testing.T, engine string) {
		var got, from []string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			got = append(got, fmt.Sprint(len(b), " ", r.ContentLength, " ", r.Trailer.Get("X-Sum")))
			from = append(from, r.RemoteAddr)
		}))
		defer s.Close()
		client := sender.New(config(engine, nil))
		defer client.Close()
		for _, framing := range [][]string{nil, {"chunked"}} {
			q := request("POST", s.Listener.Addr().String(), "/")
			q.Body, q.HTTP.TransferEncoding = []byte(strings.Repeat("x", 3<<20)), framing
			if framing != nil {
				q.HTTP.Trailer = http.Header{"X-Sum": {"7"}}
			}
			if got := told(client.Exchange(t.Context(), q)); got != `200 "" of 0` {
				t.Error(got)
			}
			time.Sleep(30 * time.Millisecond) // until the connection is taken to stay open
		}
		if strings.Join(got, ", ") != "3145728 3145728 , 3145728 -1 7" || from[0] != from[1] {
			t.Error(got, from)
		}
	})
}

// BenchmarkExchange gives CPU time as ns/op, that of a server that does next to
// nothing included: elapsed time is mostly that of waking up.
func BenchmarkExchange(b *testing.B) {
	for _, engine := range sender.Engines() {
		b.Run(engine, func(b *testing.B) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer ln.Close()
			answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024))
			go func() {
				for {
					c, err := ln.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c.Close()
						in := make([]byte, 4<<10)
						for {
							if _, err := c.Read(in); err != nil {
								return
							}
							if _, err := c.Write(answer); err != nil {
								return
							}
						}
					}()
				}
			}()
			client := sender.New(config(engine, nil))
			defer client.Close()
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				q := request("GET", ln.Addr().String(), "/orders/1")
				if _, err := client.Exchange(ctx, q); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "ns/op")
		})
	}
}

// cpu is the CPU time of this process so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
