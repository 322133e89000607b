package sender_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"understudy.dev/exchange/target/sender"
)

// TestAResetIsSeen: what was sent on a connection that breaks is not sent again,
// whatever net/http takes it for.
func TestAResetIsSeen(t *testing.T) {
	both(t, func(t *testing.T, engine string) {
		f := func(method, body string) {
			t.Helper()
			s := serve(t, func(n int, c net.Conn, in *bufio.Reader) {
				for i := range 2 {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					if n == 1 && i == 1 {
						_ = c.(*net.TCPConn).SetLinger(0) // a reset
						return
					}
					_, _ = io.WriteString(c, ok)
				}
			})
			resent := 0
			client := sender.New(config(engine, func(c *sender.Config) { c.Resent = func() { resent++ } }))
			defer client.Close()
			var got []string
			for range 2 {
				q := request(method, s.address(), "/")
				q.Body = []byte(body)
				q.HTTP.Header.Set("Idempotency-Key", "k")
				got = append(got, told(client.Exchange(t.Context(), q)))
				time.Sleep(30 * time.Millisecond) // until it is taken to stay open
			}
			if came := s.all(); got[1] != "RESET" || len(came) != 1 || strings.Count(came[0], method+" / HTTP/1.1") != 2 || resent != 0 {
				t.Errorf("%s %q: got %q, sent again %d times, came %q", method, body, got, resent, came)
			}
		}
		f("GET", "")
		f("GET", "x")
		f("DELETE", "")
		f("POST", "")
		f("POST", "x")
		f("PUT", strings.Repeat("x", 100<<10))
	})
}

// TestAServerThatCloses each connection just after its answer, and does not say
// so, loses no request.
func TestAServerThatCloses(t *testing.T) {
	s := serve(t, func(_ int, c net.Conn, in *bufio.Reader) {
		if _, err := http.ReadRequest(in); err == nil {
			_, _ = io.WriteString(c, ok)
		}
	})
	client := sender.New(config(sender.EngineWire, func(c *sender.Config) { c.Resent = func() { t.Error("sent again") } }))
	defer client.Close()
	for i := range 50 {
		if got := told(client.Exchange(t.Context(), request("POST", s.address(), "/"))); got != `200 "ok" of 2` {
			t.Fatalf("request %d: %s", i, got)
		}
		if i%10 == 9 {
			time.Sleep(30 * time.Millisecond) // they were closed meanwhile, which is seen
		}
	}
	if n := len(s.all()); n != 50 {
		t.Errorf("%d connections", n)
	}
}

// TestASecondAnswer, which nobody has asked for, is not taken for that to the
// next request.
func TestASecondAnswer(t *testing.T) {
	s := serve(t, func(n int, c net.Conn, in *bufio.Reader) {
		for {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			mine := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", n)
			_, _ = io.WriteString(c, mine)
			time.Sleep(10 * time.Millisecond)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
		}
	})
	client := sender.New(config(sender.EngineWire, nil))
	defer client.Close()
	for i := range 3 {
		if got, want := told(client.Exchange(t.Context(), request("GET", s.address(), "/"))), fmt.Sprintf(`200 "%d" of 1`, i+1); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// slow is a connection whose reads find all that was sent at once.
type slow struct{ net.Conn }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(20 * time.Millisecond)
	return s.Conn.Read(p)
}

// TestASecondAnswerWithinTLS, which has come with the first, is not taken for
// that to the next request.
func TestASecondAnswerWithinTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, in, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright")
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
			_, err = http.ReadRequest(in.Reader)
		}
	}))
	defer server.Close()
	client := sender.New(config(sender.EngineWire, func(c *sender.Config) {
		c.TLS = func(string) *tls.Config { return server.Client().Transport.(*http.Transport).TLSClientConfig.Clone() }
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return slow{conn}, err
		}
	}))
	defer client.Close()
	for range 3 {
		q := request("GET", server.Listener.Addr().String(), "/")
		q.HTTP.URL.Scheme = "https"
		if got := told(client.Exchange(t.Context(), q)); got != `200 "right" of 5` {
			t.Error(got)
		}
	}
}

// piped is a network of pipes, each served by a handler that gets its number.
func piped(handle func(n int, c net.Conn)) (dial func(context.Context, string, string) (net.Conn, error), opened *atomic.Int32) {
	opened = new(atomic.Int32)
	return func(context.Context, string, string) (net.Conn, error) {
		mine, theirs := net.Pipe()
		n := int(opened.Add(1))
		go func() { defer theirs.Close(); handle(n, theirs) }()
		return mine, nil
	}, opened
}

// TestIdleConnections are used for less time than the server keeps them, and are
// closed then.
func TestIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := func(field string, pause time.Duration, want int32) {
			t.Helper()
			var closed atomic.Int32
			dial, opened := piped(func(_ int, c net.Conn) {
				answers("HTTP/1.1 200 OK\r\n"+field+"Content-Length: 2\r\n\r\nok")(0, c, bufio.NewReader(c))
				closed.Add(1)
			})
			client := sender.New(config(sender.EngineWire, func(c *sender.Config) { c.Dial = dial }))
			for range 2 {
				if got := told(client.Exchange(t.Context(), request("GET", "h:80", "/"))); got != `200 "ok" of 2` {
					t.Error(got)
				}
				time.Sleep(pause)
			}
			if opened.Load() != want {
				t.Errorf("%q, %s: %d connections, want %d", field, pause, opened.Load(), want)
			}
			time.Sleep(7 * time.Second)
			synctest.Wait()
			if closed.Load() != want {
				t.Errorf("%q, %s: %d of %d are closed", field, pause, closed.Load(), want)
			}
			client.Close()
		}
		f("", 3900*time.Millisecond, 1)
		f("", 4100*time.Millisecond, 2)
		f("Keep-Alive: max=5, timeout=1\r\n", 400*time.Millisecond, 1)
		f("Keep-Alive: max=5, Timeout=1\r\n", 600*time.Millisecond, 2)
		f("Keep-Alive: timeout=0\r\n", time.Millisecond, 2)
		f("Keep-Alive: timeout=x, timeout=-1, timeout=99999999999\r\n", 3900*time.Millisecond, 1)
		f("Connection: close\r\n", 0, 2)
	})
}

// breaking is a connection whose n-th write fails after some bytes.
type breaking struct {
	net.Conn
	writes, n, after int
}

func (b *breaking) Write(p []byte) (int, error) {
	if b.writes++; b.writes == b.n {
		n, _ := b.Conn.Write(p[:b.after])
		b.Conn.Close()
		return n, &net.OpError{Op: "write", Err: syscall.EPIPE}
	}
	return b.Conn.Write(p)
}

// TestUnwritten: what did not go out at all goes over another connection, and is
// counted; what went out in part does not.
func TestUnwritten(t *testing.T) {
	f := func(nth, after int, want string, wantResent int, wantOpened int32) {
		t.Helper()
		dial, opened := piped(func(_ int, c net.Conn) { answers(ok)(0, c, bufio.NewReader(c)) })
		resent, broken := 0, false
		client := sender.New(config(sender.EngineWire, func(c *sender.Config) {
			c.Resent = func() { resent++ }
			c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				if !broken {
					broken, conn = true, &breaking{Conn: conn, n: nth, after: after}
				}
				return conn, err
			}
		}))
		defer client.Close()
		var got []string
		for range 2 {
			got = append(got, told(client.Exchange(t.Context(), request("POST", "h:80", "/"))))
		}
		if fmt.Sprint(got) != want || resent != wantResent || opened.Load() != wantOpened {
			t.Errorf("write %d after %d bytes: got %q, sent again %d, %d connections", nth, after, got, resent, opened.Load())
		}
	}
	const fine = `200 "ok" of 2`
	f(2, 0, "["+fine+" "+fine+"]", 1, 2)
	f(2, 1, "["+fine+" RESET]", 0, 1)
	f(1, 0, "[RESET "+fine+"]", 0, 2) // a new connection that takes nothing is the candidate's fault
}

// TestSessions have connections of their own.
func TestSessions(t *testing.T) {
	dial, opened := piped(func(n int, c net.Conn) {
		answers(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", n))(0, c, bufio.NewReader(c))
	})
	client := sender.New(config(sender.EngineWire, func(c *sender.Config) { c.Dial = dial }))
	defer client.Close()
	for i := range 9 {
		q := request("GET", "h:80", "/")
		q.Session = fmt.Sprint("s", i%3)
		if got, want := told(client.Exchange(t.Context(), q)), fmt.Sprintf(`200 "%d" of 1`, 1+i%3); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if opened.Load() != 3 {
		t.Errorf("%d connections", opened.Load())
	}
}

// TestInterrupted: the end of the context is told from a timeout.
func TestInterrupted(t *testing.T) {
	both(t, func(t *testing.T, engine string) {
		s := serve(t, func(_ int, _ net.Conn, in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) })
		client := sender.New(config(engine, func(c *sender.Config) { c.Timeout = 30 * time.Millisecond }))
		defer client.Close()
		if got := told(client.Exchange(t.Context(), request("GET", s.address(), "/"))); got != "TIMEOUT" {
			t.Error(got)
		}
		client = sender.New(config(engine, nil))
		defer client.Close()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Millisecond, cancel)
		_, err := client.Exchange(ctx, request("GET", s.address(), "/"))
		if got := told(nil, err); got != "CANCELED" || !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestUnsendable requests are not sent.
func TestUnsendable(t *testing.T) {
	client := sender.New(config(sender.EngineWire, func(c *sender.Config) {
		c.Dial = func(context.Context, string, string) (net.Conn, error) { t.Error("dialled"); return nil, net.ErrClosed }
	}))
	defer client.Close()
	f := func(change func(*sender.Request)) {
		t.Helper()
		q := request("POST", "h:80", "/")
		change(&q)
		if got := told(client.Exchange(t.Context(), q)); got != "REFUSED" {
			t.Error(got)
		}
	}
	f(func(q *sender.Request) { q.HTTP.Method = "A B" })
	f(func(q *sender.Request) { q.HTTP.URL.Opaque = "/a b" })
	f(func(q *sender.Request) { q.HTTP.URL.RawQuery = "a\r\nX: y" })
	f(func(q *sender.Request) { q.HTTP.Host = "h\r\nX: y" })
	f(func(q *sender.Request) { q.HTTP.Header["X"] = []string{"a\nb"} })
	f(func(q *sender.Request) { q.HTTP.Header["X: y\r\nZ"] = []string{"a"} })
	f(func(q *sender.Request) {
		q.HTTP.TransferEncoding, q.HTTP.Trailer = []string{"chunked"}, http.Header{"X": {"a\nb"}}
	})
}
