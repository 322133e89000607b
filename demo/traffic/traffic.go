// Package traffic is the demo's users: sessions that arrive whether or not the
// service keeps up, and people who look, think, order, change their minds and
// pay, with the identifiers and totals that the service gave them.
//
// What every session does follows from the seed alone. Between two requests of
// a session lies more time than the asynchronous system needs for one, even
// when a replay compresses it fivefold.
package traffic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Config of the traffic.
type Config struct {
	// BaseURL of the service, or of the recorder before it.
	BaseURL string
	// Authorization is the value of that header on every request.
	Authorization string
	Seed          uint64
	// Sessions in all, at most 10,000.
	Sessions int
	// Arrive is the time over which sessions begin; the last of them go on
	// about ten seconds after it.
	Arrive time.Duration
	// ThinkMin and ThinkMax bound the time between two requests of a session.
	ThinkMin, ThinkMax time.Duration
}

// DefaultConfig makes about 1,500 requests in about 20 s.
func DefaultConfig() Config {
	return Config{
		Authorization: "Bearer demo-shopper",
		Seed:          1,
		Sessions:      300,
		Arrive:        12 * time.Second,
		ThinkMin:      900 * time.Millisecond,
		ThinkMax:      1500 * time.Millisecond,
	}
}

// Validate names every mistake.
func (c Config) Validate() error {
	var wrong []error
	if c.BaseURL == "" {
		wrong = append(wrong, errors.New("traffic: base URL is empty"))
	}
	if c.Sessions < 1 || c.Sessions > 10_000 {
		wrong = append(wrong, fmt.Errorf("traffic: %d sessions, want 1 to 10000", c.Sessions))
	}
	if c.Arrive < 0 || c.ThinkMin < 0 || c.ThinkMax < c.ThinkMin {
		wrong = append(wrong, errors.New("traffic: times must not be negative, nor the longest think time below the shortest"))
	}
	return errors.Join(wrong...)
}

// Counts of what was driven.
type Counts struct {
	Sessions int
	// Broken sessions ended early: an answer was missing or not usable.
	Broken   int
	Requests int
	// Failed requests had no answer.
	Failed   int
	ByRoute  map[string]int
	ByStatus map[int]int
}

// Traffic drives sessions. Run may be called once.
type Traffic struct {
	cfg    Config
	client *http.Client

	mu     sync.Mutex
	counts Counts
}

// New makes traffic through the given transport; nil takes one with enough
// idle connections for all sessions.
func New(cfg Config, transport http.RoundTripper) (*Traffic, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Traffic{
		cfg:    cfg,
		client: &http.Client{Transport: transport, Timeout: 10 * time.Second},
		counts: Counts{ByRoute: map[string]int{}, ByStatus: map[int]int{}},
	}, nil
}

// Run drives every session to its end. It returns early, with the error of
// ctx, only when ctx ends.
func (t *Traffic) Run(ctx context.Context) (Counts, error) {
	if t.client.Transport == nil {
		own := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
		defer own.CloseIdleConnections()
		t.client.Transport = own
	}
	var running sync.WaitGroup
	start := time.Now()
	for n, at := range arrivals(t.cfg) {
		if !pause(ctx, time.Until(start.Add(at))) {
			break
		}
		running.Go(func() { t.session(ctx, n) })
	}
	running.Wait()
	return t.Counts(), ctx.Err()
}

// Counts gives what was driven so far.
func (t *Traffic) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	c.ByRoute, c.ByStatus = map[string]int{}, map[int]int{}
	for k, v := range t.counts.ByRoute {
		c.ByRoute[k] = v
	}
	for k, v := range t.counts.ByStatus {
		c.ByStatus[k] = v
	}
	return c
}

// arrivals are the start times of the sessions: independent and uniform over
// the time to arrive, which is what an open (Poisson) process looks like when
// its total is known.
func arrivals(c Config) []time.Duration {
	r := rand.New(rand.NewPCG(c.Seed, 0))
	at := make([]time.Duration, c.Sessions)
	sum := 0.0
	gaps := make([]float64, c.Sessions+1)
	for i := range gaps {
		gaps[i] = r.ExpFloat64()
		sum += gaps[i]
	}
	elapsed := 0.0
	for i := range at {
		elapsed += gaps[i]
		at[i] = time.Duration(elapsed / sum * float64(c.Arrive))
	}
	return at
}

func pause(ctx context.Context, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
