package sender_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy.dev/exchange/target/sender"
)

// TestOnTime: what is ready before its moment is sent at it, whoever came first
// and whoever does not read.
func TestOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, engine := range sender.Engines() {
			dial, _ := piped(func(n int, c net.Conn) {
				if n == 1 { // takes nothing
					time.Sleep(time.Second)
					return
				}
				answers(ok)(n, c, bufio.NewReader(c))
			})
			client := sender.New(config(engine, func(c *sender.Config) { c.Dial = dial }))
			start := time.Now()
			var mu sync.Mutex
			var sent []string
			var all sync.WaitGroup
			for i, at := range []time.Duration{2 * time.Millisecond, 3 * time.Millisecond, 2500 * time.Microsecond, time.Millisecond, -time.Millisecond, 500 * time.Millisecond} {
				all.Go(func() {
					q := request("GET", "h:80", "/")
					q.At = start.Add(at)
					q.Sent = func(x time.Time) {
						mu.Lock()
						defer mu.Unlock()
						sent = append(sent, fmt.Sprint(i, x.Sub(start)))
					}
					told(client.Exchange(t.Context(), q))
				})
				synctest.Wait()
			}
			all.Wait()
			slices.Sort(sent) // who is told first may be another
			if got, want := fmt.Sprint(sent), "[0 2ms 1 3ms 2 2.5ms 3 1ms 4 0s 5 500ms]"; got != want {
				t.Errorf("%s: got %s, want %s", engine, got, want)
			}
			client.Close()
		}
		time.Sleep(10 * time.Second)
	})
}

// TestTheTimeOfAConnection is the server's: what had none when it was due was sent
// then.
func TestTheTimeOfAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := func(at, dialling, want time.Duration, fails bool) {
			t.Helper()
			pipes, _ := piped(func(n int, c net.Conn) { answers(ok)(n, c, bufio.NewReader(c)) })
			client := sender.New(config(sender.EngineWire, func(c *sender.Config) {
				c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					time.Sleep(dialling)
					if fails {
						return nil, net.ErrClosed
					}
					return pipes(ctx, network, address)
				}
			}))
			defer client.Close()
			start, calls := time.Now(), 0
			q := request("GET", "h:80", "/")
			q.At = start.Add(at)
			q.Sent = func(x time.Time) {
				if calls++; x.Sub(start) != want {
					t.Errorf("due at %s, %s of dialling: sent at %s, want %s", at, dialling, x.Sub(start), want)
				}
			}
			told(client.Exchange(t.Context(), q))
			if calls != 1 {
				t.Errorf("told %d times when it was sent", calls)
			}
		}
		f(3*time.Millisecond, time.Millisecond, 3*time.Millisecond, false)
		f(3*time.Millisecond, 50*time.Millisecond, 3*time.Millisecond, false)
		f(-3*time.Millisecond, 50*time.Millisecond, 0, false)
		f(3*time.Millisecond, 50*time.Millisecond, 3*time.Millisecond, true)
		time.Sleep(10 * time.Second)
	})
}

// TestAConnectionThatIsClosedMeanwhile, after it was looked at and before the
// request was due, is not used.
func TestAConnectionThatIsClosedMeanwhile(t *testing.T) {
	closing := make(chan struct{})
	s := serve(t, func(n int, c net.Conn, in *bufio.Reader) {
		for {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			if _, err := io.WriteString(c, ok); err != nil {
				return
			}
			if n == 1 {
				<-closing
				return
			}
		}
	})
	resent := 0
	client := sender.New(config(sender.EngineWire, func(c *sender.Config) { c.Resent = func() { resent++ } }))
	defer client.Close()
	q := request("POST", s.address(), "/")
	if got := told(client.Exchange(t.Context(), q)); got != `200 "ok" of 2` {
		t.Fatal(got)
	}
	time.Sleep(30 * time.Millisecond) // until it is taken to stay open
	time.AfterFunc(50*time.Millisecond, func() { close(closing) })
	q.At = time.Now().Add(300 * time.Millisecond)
	if got := told(client.Exchange(t.Context(), q)); got != `200 "ok" of 2` || resent != 1 || len(s.all()) != 2 {
		t.Errorf("got %s, sent again %d, over %d connections", got, resent, len(s.all()))
	}
}
