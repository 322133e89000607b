package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/schemas/topic"
	"understudy.dev/stream"
)

// judgingRuns bounds how many runs are remembered, and saidRuns of how many the
// verdicts are printed.
const (
	judgingRuns = 1000
	saidRuns    = 10
)

// judgedCount counts what a comparator has judged, for whoever waits for it.
type judgedCount struct {
	topic string
	lag   func(topic string) int64

	mu      sync.Mutex
	start   time.Time // of the first batch
	done    uint64
	runs    map[string]bool
	waiting string
}

// waitFor says what is waited for while nothing can be judged.
func (j *judgedCount) waitFor(what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.waiting = what
}

// line is the status line.
func (j *judgedCount) line() string {
	p := j.progress(time.Now())
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.waiting != "" && p.done == p.total {
		return fmt.Sprintf("judged  %s  waiting for %s", p, j.waiting)
	}
	return "judged  " + p.String()
}

// handler counts what handle has handled.
func (j *judgedCount) handler(handle stream.Handler) stream.Handler {
	return func(ctx context.Context, b stream.Batch) error {
		begun := time.Now()
		if err := handle(ctx, b); err != nil || b.Topic != j.topic {
			return err
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.start.IsZero() {
			j.start = begun
		}
		j.done += uint64(len(b.Records))
		for _, r := range b.Records {
			if run := runOf(r.Headers); run != "" && len(j.runs) < judgingRuns {
				j.runs[run] = true
			}
		}
		return nil
	}
}

// names are the runs of which something was judged.
func (j *judgedCount) names() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Sorted(maps.Keys(j.runs))
}

// progress is how far the judging is.
func (j *judgedCount) progress(now time.Time) headway {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := headway{done: j.done, total: j.done + uint64(j.lag(j.topic))}
	if passed := now.Sub(j.start).Seconds(); !j.start.IsZero() && passed > 0 {
		p.rate = float64(j.done) / passed
	}
	return p
}

// showJudging shows how far it is: on a terminal in a line, otherwise in the log
// at intervals.
func (a *app) showJudging(j *judgedCount) (stop func()) {
	if onTerminal(a.errOut) {
		return statusLine(a.errOut, j.line)
	}
	said := uint64(0)
	return every(judgingEvery, func() {
		if p := j.progress(time.Now()); p.done != said {
			said = p.done
			a.log.Info("judging", "judged", p.done, "of", p.total, "per_second", int(p.rate), "left", p.left())
		}
	})
}

// judgingEvery is the pause between two lines in the log.
const judgingEvery = 10 * time.Second

// sayVerdicts prints what the runs came to and what to do next.
func (a *app) sayVerdicts(ctx context.Context, conn driver.Conn, runs []string, conditions []report.Condition) error {
	if len(runs) == 0 {
		fmt.Fprintln(a.out, "Nothing new to judge.")
		fmt.Fprintf(a.errOut, "understudy: next: understudy runs list%s\n", a.where("runs"))
		return nil
	}
	var broken, unbalanced []string
	for _, run := range runs[:min(len(runs), saidRuns)] {
		r, err := report.Summary(ctx, conn, run)
		if errors.Is(err, report.ErrUnknownRun) {
			return fmt.Errorf("the tables have nothing of run %s, though this group has read it: it was told to write into another database", report.Clean(run))
		}
		if err != nil {
			return err
		}
		if report.NeedsControl(conditions) {
			if r.Control, err = report.LoadControl(ctx, conn, run); err != nil {
				return err
			}
		}
		a.located(r)
		if err := text.Verdicts(a.out, r); err != nil {
			return err
		}
		for _, b := range report.Broken(conditions, r) {
			broken = append(broken, "run "+report.Clean(run)+": "+b)
		}
		if r.Run.Ended() && !r.Balance.Trusted() {
			unbalanced = append(unbalanced, report.Clean(run))
		}
	}
	if n := len(runs) - saidRuns; n > 0 {
		fmt.Fprintf(a.out, "And %d more runs.\n", n)
	}
	for _, run := range runs[:min(len(runs), saidRuns)] {
		fmt.Fprintf(a.errOut, "understudy: next: understudy report%s %s\n", a.where("report"), report.Clean(run))
	}
	if len(unbalanced) > 0 {
		return threshold(also(fmt.Errorf("run %s: %w", strings.Join(unbalanced, ", "), errBalance), failed(broken)))
	}
	return failed(broken)
}

// failed is the error for conditions of --fail-on that hold.
func failed(broken []string) error {
	if len(broken) == 0 {
		return nil
	}
	return threshold(fmt.Errorf("--fail-on: %s", strings.Join(broken, "; ")))
}

// runOf is the run that a replay belongs to, by the head of its record: the
// first part of its id.
func runOf(headers []kgo.RecordHeader) string {
	for _, h := range headers {
		if h.Key == topic.HeaderID {
			run, _, _ := strings.Cut(string(h.Value), "/")
			return run
		}
	}
	return ""
}
