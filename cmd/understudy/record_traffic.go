package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"understudy.dev/gateway/proxy"
	"understudy.dev/recorder"
)

// errDrained is why requests and tunnels that outlast their grace are
// cancelled.
var errDrained = errors.New("the recorder has stopped")

// endMargin is what of the shutdown timeout is left for the process to end.
const endMargin = 500 * time.Millisecond

// liveTraffic is what the recorder serves, from the first request to the last.
type liveTraffic struct {
	rec      *recorder.Recorder
	hop      *hop
	sides    *sides // nil: there is only the baseline
	cfg      recordConfig
	watched  bool   // somebody may look at whether it is ready
	draining func() // from here on it is not ready

	active atomic.Int64 // handlers, those of tunnels included
}

// trafficServer is http.Server, or proxy.Server around one.
type trafficServer interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
}

// serve answers until ctx ends, or the listener fails, then lets what is under
// way finish, and only then stops the recorder, so that it is recorded too.
func (t *liveTraffic) serve(ctx context.Context, ln net.Listener, next http.Handler, refused *refusals, log *slog.Logger) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true) // over TLS, by ALPN
	protocols.SetUnencryptedHTTP2(true)
	base, leave := context.WithCancelCause(context.WithoutCancel(ctx))
	defer leave(nil)
	over := &http.Server{BaseContext: func(net.Listener) context.Context { return base }, Handler: t.count(t.hop.refuse(t.sides.door(t.rec.Wrap(t.hop.send(t.sides.choose(next)))))),
		ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, Protocols: protocols,
		ErrorLog:                     slog.NewLogLogger(newLibraryLog(log), slog.LevelWarn),
		DisableGeneralOptionsHandler: true} // OPTIONS * is the baseline's to answer
	refused.watch(over)
	var server trafficServer = over
	if upstream, ok := next.(*proxy.Upstream); ok && t.cfg.Upstream.OnWire() && t.sides.onWire() {
		server = proxy.NewServer(upstream, t.sides.serving(proxy.Serving{HTTP2: over, Tap: t.rec.Tap(), Refused: refused.count.Inc, Mark: t.hop.proxyMark()}))
	}
	recording, stopRecording := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRecording()
	ending, end := context.WithCancel(ctx)
	defer end()
	var group errgroup.Group
	group.Go(func() error { return t.rec.Run(recording) })
	group.Go(func() error {
		defer stopRecording()
		<-ending.Done()
		t.stop(server, leave, ctx.Err() != nil)
		return nil
	})
	failed := server.Serve(ln)
	if errors.Is(failed, http.ErrServerClosed) {
		failed = nil
	}
	end() // a listener that fails does not cost what was recorded
	return errors.Join(failed, group.Wait())
}

// count knows how many handlers run.
func (t *liveTraffic) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.active.Add(1)
		defer t.active.Add(-1)
		next.ServeHTTP(w, r)
	})
}

// stop ends the traffic within what the recorder's own end leaves of the
// shutdown timeout: not ready, then a delay in which balancers see that, then no
// new connections, then a grace for requests and tunnels under way.
func (t *liveTraffic) stop(server trafficServer, leave context.CancelCauseFunc, asked bool) {
	t.draining()
	over, cancel := context.WithTimeout(context.Background(), t.cfg.ShutdownTimeout-t.cfg.DrainTimeout-endMargin)
	defer cancel()
	if asked && t.watched {
		wait(over, t.cfg.DrainDelay)
	}
	err := server.Shutdown(over)
	for t.active.Load() > 0 && over.Err() == nil { // the server does not wait for tunnels
		wait(over, 10*time.Millisecond)
	}
	leave(errDrained)
	if err != nil {
		_ = server.Close()
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
