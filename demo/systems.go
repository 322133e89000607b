package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"understudy.dev/demo/baseline"
	"understudy.dev/demo/candidate"
	"understudy.dev/demo/fault"
)

// Systems are the baseline and the candidate, each behind its own listener.
type Systems struct {
	// Baseline and Candidate are their base URLs, set once Ready is closed.
	Baseline, Candidate string

	book  *fault.Book
	ready chan struct{}
}

// New makes both systems; the candidate plants faults if faulty is true.
// Nothing listens before Run.
func New(faulty bool) *Systems {
	s := &Systems{ready: make(chan struct{})}
	if faulty {
		s.book = fault.NewBook()
	}
	return s
}

// Ready is closed when both systems listen.
func (s *Systems) Ready() <-chan struct{} { return s.ready }

// Planted lists the faults and the requests they hit so far; nil when none
// are planted.
func (s *Systems) Planted() []fault.Planted {
	if s.book == nil {
		return nil
	}
	return s.book.Planted()
}

// Run serves both systems on free ports of the loopback interface until ctx
// ends, and returns when everything it started has ended.
func (s *Systems) Run(ctx context.Context) error {
	config := net.ListenConfig{}
	first, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	defer first.Close()
	second, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("candidate: %w", err)
	}
	defer second.Close()
	// Payments call back from many sessions to one receiver.
	callbacks := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	defer callbacks.CloseIdleConnections()
	successor := candidate.New(candidate.Config{Authorization: Credential, Faults: s.book, Callbacks: callbacks})

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return successor.Run(ctx) })
	group.Go(func() error { return serve(ctx, first, baseline.New()) })
	group.Go(func() error { return serve(ctx, second, successor) })
	s.Baseline, s.Candidate = "http://"+first.Addr().String(), "http://"+second.Addr().String()
	close(s.ready)
	return group.Wait()
}

// serve answers requests until ctx ends, then gives those in flight 2 s.
func serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve %s: %w", ln.Addr(), err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if server.Shutdown(last) != nil {
			return server.Close()
		}
		return nil
	})
	return group.Wait()
}

// Serve serves one of the two systems, "baseline" or "candidate", on ln until
// ctx ends. The candidate plants its faults.
func Serve(ctx context.Context, side string, ln net.Listener) error {
	if side == "baseline" {
		return serve(ctx, ln, baseline.New())
	}
	callbacks := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	defer callbacks.CloseIdleConnections()
	successor := candidate.New(candidate.Config{Authorization: Credential, Faults: fault.NewBook(), Callbacks: callbacks})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return successor.Run(ctx) })
	group.Go(func() error { return serve(ctx, ln, successor) })
	return group.Wait()
}
