package stream_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy.dev/stream"
)

// TestOneLeads of two, the other when it has gone; and each sees that the other is
// about something else.
func TestOneLeads(t *testing.T) {
	cfg, names := stagesTopic(t)
	var running sync.WaitGroup
	t.Cleanup(running.Wait) // the members end before it, with the test's context
	alone, err := stream.NewLeader(cfg, "g", names.Stages, "a", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if seen, err := alone.Others(t.Context()); err != nil || len(seen) > 0 { // of a group that may not be there yet
		t.Errorf("%v, %v", seen, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	alone.Run(over)
	member := func(mark string) (*stream.Leader, context.CancelFunc) {
		l, err := stream.NewLeader(cfg, "g", names.Stages, mark, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		running.Go(func() { l.Run(ctx) })
		return l, stop
	}
	until := func(what string, is func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal(what)
			}
		}
	}
	one, stopOne := member("a")
	until("nobody leads", one.Leads)
	same, stopSame := member("a")
	other, stopOther := member("b")
	defer stopSame()
	defer stopOther()
	until("the others are not seen", func() bool {
		seen, err := one.Others(t.Context())
		back, fault := other.Others(t.Context())
		return err == nil && fault == nil && len(seen) == 1 && strings.HasPrefix(seen[0], "b at ") && len(back) == 2
	})
	leads := func() (n int) {
		for _, l := range []*stream.Leader{one, same, other} {
			if l.Leads() {
				n++
			}
		}
		return n
	}
	until("not one leads", func() bool { return leads() == 1 })
	stopOne()
	until("nobody follows", func() bool { return !one.Leads() && leads() == 1 })
	until("it is still seen", func() bool {
		seen, err := other.Others(t.Context())
		return err == nil && len(seen) == 1 && slices.ContainsFunc(seen, func(s string) bool { return strings.HasPrefix(s, "a at ") })
	})
}
