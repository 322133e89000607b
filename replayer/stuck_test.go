package replayer_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"

	"understudy.dev/replayer"
)

// stuck is a sink that takes nothing until open is closed, which it does itself
// when so many exchanges are selected.
type stuck struct {
	*sink
	open          chan struct{}
	until         uint64
	waiting, most atomic.Int64
}

func (s *stuck) Replay(ctx context.Context, r *understudyv1.Replay, done func(error)) {
	n := s.waiting.Add(1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	<-s.open
	s.waiting.Add(-1)
	s.sink.Replay(ctx, r, done)
}

func (s *stuck) Run(ctx context.Context, r *understudyv1.Run) error {
	if s.until > 0 && r.Selected >= s.until {
		s.until = 0
		close(s.open)
	}
	return s.sink.Run(ctx, r)
}

// TestWhatWaitsForTheSinkIsBounded by the places in flight, beside the one that
// writes what was skipped, and what it keeps from being sent is not called the
// candidate's fault.
func TestWhatWaitsForTheSinkIsBounded(t *testing.T) {
	out := &stuck{sink: &sink{}, open: make(chan struct{}), until: 300}
	run, err := replayTo(t.Context(), t, many(300), out.sink, out, ok, func(c *replayer.Config) { c.InFlight = 5 })
	if err != nil || run.Replayed != 5 || run.Skipped["records_waiting"]+run.Skipped["in_flight_limit"] != 295 || run.Skipped["records_waiting"] < 200 {
		t.Errorf("%v, %v", err, run)
	}
	if most := out.most.Load(); most != 6 {
		t.Errorf("%d records waited at once, with 5 places", most)
	}
}

// TestASkipDoesNotStopTheSchedule: a request leaves although what was skipped
// before it cannot be written.
func TestASkipDoesNotStopTheSchedule(t *testing.T) {
	out := &stuck{sink: &sink{}, open: make(chan struct{})}
	src := many(20, func(e *understudyv1.Exchange) { e.Response = nil })
	src.list = append(src.list, exchange(30))
	watchdog := time.AfterFunc(20*time.Second, func() { t.Error("nothing was sent"); close(out.open) })
	run, err := replayTo(t.Context(), t, src, out.sink, out, func(http.ResponseWriter, *http.Request) {
		if watchdog.Stop() {
			close(out.open)
		}
	}, nil)
	if err != nil || run.Replayed != 1 || run.Skipped["no_response"] != 20 {
		t.Errorf("%v, %v", err, run)
	}
}
