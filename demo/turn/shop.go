package turn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Shop is a baseline, a candidate, and another instance of the candidate for the
// rehearsal. What the first two do is in one book of effects.
type Shop struct {
	// Baseline, Candidate and Rehearsal are base URLs.
	Baseline, Candidate, Rehearsal string

	listeners []net.Listener
	servers   []*http.Server
	lies      atomic.Bool
	lied      atomic.Int64
	lastLie   atomic.Int64
	mu        sync.Mutex
	effects   map[string]int
}

// Names of the sides, which the header Server of their answers has.
const (
	baselineName  = "baseline"
	candidateName = "candidate"
)

// maxOrder bounds the body of an order, in bytes.
const maxOrder = 1 << 10

// NewShop listens on free ports of the loopback interface; Run serves.
func NewShop() (*Shop, error) {
	s := &Shop{effects: map[string]int{}}
	for _, side := range []struct {
		url  *string
		name string
		live bool
	}{{&s.Baseline, baselineName, true}, {&s.Candidate, candidateName, true}, {&s.Rehearsal, candidateName, false}} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("shop: %w", err), s.close())
		}
		*side.url = "http://" + ln.Addr().String()
		s.listeners = append(s.listeners, ln)
		s.servers = append(s.servers, &http.Server{Handler: s.side(side.name, side.live), ReadHeaderTimeout: 10 * time.Second})
	}
	return s, nil
}

// Run serves until ctx ends.
func (s *Shop) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for i, server := range s.servers {
		running.Go(func() { _ = server.Serve(s.listeners[i]) })
	}
	<-ctx.Done()
	err := s.close()
	running.Wait()
	return err
}

func (s *Shop) close() error {
	var errs []error
	for i, server := range s.servers {
		errs = append(errs, server.Close())
		_ = s.listeners[i].Close() // the server may have done so
	}
	return errors.Join(errs...)
}

func (s *Shop) side(name string, live bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		order, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOrder))
		if err != nil {
			return
		}
		if live && r.Method == http.MethodPost {
			s.mu.Lock()
			s.effects[string(order)]++
			s.mu.Unlock()
		}
		cents := price(r.URL.Path + string(order))
		if name == candidateName && s.lies.Load() {
			cents++
			if live {
				s.lied.Add(1)
				s.lastLie.Store(time.Now().UnixNano())
			}
		}
		w.Header().Set("Server", name)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer(r.URL.Path, cents))
	})
}

func answer(path string, cents int) string { return fmt.Sprintf(`{"path":%q,"cents":%d}`, path, cents) }

// price is what a thing costs.
func price(of string) int {
	n := 100
	for _, b := range []byte(of) {
		n = (n*31 + int(b)) % 1_000_003
	}
	return n
}

// Lie makes the candidate, and its other instance, ask a cent too much, or ends that.
func (s *Shop) Lie(lies bool) { s.lies.Store(lies) }

// Lies are how many answers of the live candidate were not true, and when the last
// of them was given.
func (s *Shop) Lies() (n int64, last time.Time) { return s.lied.Load(), time.Unix(0, s.lastLie.Load()) }

// Effects are how many orders were made, and how many of them more than once.
func (s *Shop) Effects() (orders, doubled int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.effects {
		if n > 1 {
			doubled++
		}
	}
	return len(s.effects), doubled
}
