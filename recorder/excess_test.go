package recorder

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

type taking struct{ Sink }

func (taking) Tally(_ *understudyv1.Tally, done func(error)) error { done(nil); return nil }
func (taking) Flush(context.Context) error                         { return nil }

// TestAFaultInTheBooksIsSaid settles one request twice, as no caller may.
func TestAFaultInTheBooksIsSaid(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Instance, cfg.Key = "r", "0123456789abcdef"
	var log bytes.Buffer
	reg := prometheus.NewRegistry()
	r, err := New(cfg, taking{}, slog.New(slog.NewTextHandler(&log, nil)), reg)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := r.books.Open()
	e.Record()
	e.Record()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "do not balance") || !strings.Contains(log.String(), "excess=1 served=1 recorded=2") {
		t.Errorf("said %q", log.String())
	}
	want := "# HELP understudy_recorder_excess Recorded, dropped, spooled and pending together, less served; anything but 0 is a fault of the recorder.\n" +
		"# TYPE understudy_recorder_excess gauge\nunderstudy_recorder_excess 1\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "understudy_recorder_excess"); err != nil {
		t.Error(err)
	}
}
