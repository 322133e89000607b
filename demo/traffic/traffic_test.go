package traffic

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy.dev/demo/baseline"
)

// tape is a transport that writes down what was asked.
type tape struct {
	handler http.Handler
	mu      sync.Mutex
	lines   []string
	last    map[string]time.Time // by session
	nearest time.Duration
}

func (t *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	session, now := r.Header.Get("X-Session-Id"), time.Now()
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, r)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, fmt.Sprint(r.Header.Get("X-Reference"), r.Method, w.Code))
	if last, ok := t.last[session]; ok && now.Sub(last) < t.nearest {
		t.nearest = now.Sub(last)
	}
	t.last[session] = time.Now()
	return w.Result(), nil
}

func run(t *testing.T, cfg Config) *tape {
	tp := &tape{last: map[string]time.Time{}, nearest: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		tp.handler = baseline.New()
		users, err := New(cfg, tp)
		if err != nil {
			t.Fatal(err)
		}
		counts, err := users.Run(t.Context())
		if err != nil || counts.Sessions != cfg.Sessions || counts.Requests != len(tp.lines) {
			t.Errorf("%+v, %v; %d requests seen", counts, err, len(tp.lines))
		}
	})
	slices.Sort(tp.lines)
	return tp
}

func TestSeedDecides(t *testing.T) {
	cfg := DefaultConfig()
	cfg.BaseURL, cfg.Sessions = "http://demo.invalid", 60
	one, same := run(t, cfg), run(t, cfg)
	if !slices.Equal(one.lines, same.lines) {
		t.Error("one seed, different traffic")
	}
	if len(one.lines) != len(slices.Compact(slices.Clone(one.lines))) {
		t.Error("a reference was used twice")
	}
	cfg.Seed = 2
	if slices.Equal(one.lines, run(t, cfg).lines) {
		t.Error("different seeds, same traffic")
	}
}

func TestNobodyWaitsLessThanTheTwins(t *testing.T) {
	cfg := DefaultConfig()
	cfg.BaseURL, cfg.Sessions = "http://demo.invalid", 60
	if got := run(t, cfg).nearest; got != cfg.ThinkMin/4 {
		t.Errorf("nearest requests of one session: %v, want %v", got, cfg.ThinkMin/4)
	}
}

func TestValidateNamesEveryMistake(t *testing.T) {
	_, err := New(Config{ThinkMin: 2, ThinkMax: 1}, nil)
	if err == nil || len(fmt.Sprint(err)) < 100 {
		t.Errorf("%v", err)
	}
}
