package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/recorder"
	"understudy.dev/recorder/recordertest"
)

// TestTheEndHasAnOrder: not ready, then still serving, then gone; what was
// recorded is written.
func TestTheEndHasAnOrder(t *testing.T) {
	t.Setenv("UNDERSTUDY_KAFKA", freeAddress(t))
	spool := t.TempDir()
	traffic, admin, stop := recording(t, "--drain-delay", "5s", "--spool-dir", spool, "--instance", "ending")
	until(t, "http://"+traffic+"/", "hi")
	until(t, "http://"+admin+"/metrics", "\nunderstudy_recorder_spool_open 1\n")
	until(t, "http://"+admin+"/readyz", "but recording to disk, in "+spool+", until Kafka is ready: kafka at ")
	ended := make(chan struct{})
	var code int
	var errOut string
	go func() { defer close(ended); code, errOut = stop() }()
	for {
		answer, err := http.Get("http://" + admin + "/readyz")
		if err != nil {
			t.Fatalf("the admin listener went before it said so: %v", err)
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusServiceUnavailable {
			break
		}
	}
	until(t, "http://"+traffic+"/", "hi") // a new connection: the others were closed
	<-ended
	if c, err := net.Dial("tcp", traffic); err == nil {
		c.Close()
		t.Error("it still listens")
	}
	// Kafka was never there: all is on disk.
	if code != exitOK || !strings.Contains(errOut, "are on disk; the next recorder") || !strings.Contains(errOut, "spooled=2") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

// broken is a listener that fails after its first connection.
type broken struct {
	net.Listener
	served chan struct{}
}

var errBroken = errors.New("the network is gone")

func (b *broken) Accept() (net.Conn, error) {
	select {
	case <-b.served:
		return nil, errBroken
	default:
	}
	c, err := b.Listener.Accept()
	return c, err
}

// TestAListenerThatFailsCostsNothingRecorded: the exchange and the final tally
// are written all the same.
func TestAListenerThatFailsCostsNothingRecorded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := &broken{l, make(chan struct{})}
	sink, reg, log := new(recordertest.Sink), prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	cfg := defaultConfig().Record
	rec, err := recorder.New(cfg.Config, sink, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	unready := false
	tr := &liveTraffic{rec: rec, hop: newHop(reg), cfg: cfg, draining: func() { unready = true }}
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(ln.served)
		_, _ = io.WriteString(w, "hi")
	})
	ended := make(chan error, 1)
	go func() { ended <- tr.serve(context.Background(), ln, next, newRefusals(reg), log) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if b, _ := io.ReadAll(c); !strings.HasSuffix(string(b), "hi") {
		t.Errorf("answer %q", b)
	}
	go func() { // wakes the listener, so that it fails
		for {
			c, err := net.DialTimeout("tcp", l.Addr().String(), time.Second)
			if err != nil {
				return
			}
			c.Close()
			time.Sleep(10 * time.Millisecond)
		}
	}()
	err = <-ended
	l.Close()
	tallies := sink.Tallies()
	if !errors.Is(err, errBroken) || !unready || len(sink.Exchanges()) != 1 || !tallies[len(tallies)-1].GetFinal() {
		t.Errorf("%v, unready %t, %d exchanges, tallies %v", err, unready, len(sink.Exchanges()), tallies)
	}
}

// TestTunnelsHaveAGrace: a handler that has taken the connection over is waited
// for, and cut when the time is up.
func TestTunnelsHaveAGrace(t *testing.T) {
	f := func(leaves bool, shutdown time.Duration, want string) {
		t.Helper()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		reg, log := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
		cfg := defaultConfig().Record
		cfg.ShutdownTimeout, cfg.DrainTimeout = shutdown, 100*time.Millisecond
		rec, err := recorder.New(cfg.Config, new(recordertest.Sink), log, reg)
		if err != nil {
			t.Fatal(err)
		}
		stopping, how := make(chan struct{}), make(chan string, 1)
		tr := &liveTraffic{rec: rec, hop: newHop(reg), cfg: cfg, draining: func() { close(stopping) }}
		joined := make(chan struct{})
		next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			close(joined)
			<-stopping
			if leaves {
				how <- "left"
				return
			}
			<-r.Context().Done()
			how <- context.Cause(r.Context()).Error()
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- tr.serve(ctx, l, next, newRefusals(reg), log) }()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		<-joined
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got := <-how; got != want {
			t.Errorf("the tunnel ended by %q, want %q", got, want)
		}
	}
	f(true, time.Hour, "left")
	f(false, time.Second, errDrained.Error())
}
