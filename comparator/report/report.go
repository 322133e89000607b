// Package report is the read side of the comparator: what a run came to, from
// the tables, for people and for programs.
package report

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// ErrUnknownRun is wrapped when the tables know nothing of a run.
var ErrUnknownRun = errors.New("unknown run")

// Options say how much a report holds and what counts as slow.
type Options struct {
	// Top is how many discrepancies are listed; default 10.
	Top int `yaml:"top"`
	// A route is slow when the candidate's p99 (Latency.Tail) is more than
	// SlowRatio times the baseline's p99 and more than SlowFloor milliseconds
	// above it; defaults 2 and 100. A baseline p99 that is unknown makes
	// nothing slow.
	SlowRatio float64 `yaml:"slow_ratio"`
	SlowFloor float64 `yaml:"slow_floor"`
}

// DefaultOptions holds the documented defaults.
func DefaultOptions() Options { return Options{Top: 10, SlowRatio: 2, SlowFloor: 100} }

// Validate reports every mistake in the options.
func (o Options) Validate() error {
	var errs []error
	if o.Top < 1 || o.Top > maxTop {
		errs = append(errs, fmt.Errorf("--top: %d is not within 1 and %d", o.Top, maxTop))
	}
	if !(o.SlowRatio >= 1) || !(o.SlowFloor >= 0) {
		errs = append(errs, errors.New("report: slow_ratio must be at least 1, slow_floor (milliseconds) at least 0"))
	}
	return errors.Join(errs...)
}

// maxTop and maxRoutes bound what a report holds in memory.
const (
	maxTop    = 1000
	maxRoutes = 10_000
)

// Report is what one run came to.
type Report struct {
	Run Run `json:"run"`
	// Judgement is the one that all of it is of: the run's current one. Nil when
	// the run is not judged.
	Judgement *Judgement `json:"judgement"`
	// Judgements is how many the run has.
	Judgements int `json:"judgements"`
	// Diagnoses are what spoils the run as a whole, the worst first.
	Diagnoses     []Diagnosis   `json:"diagnoses"`
	Total         Score         `json:"total"`
	Routes        []Score       `json:"routes"`
	Discrepancies []Discrepancy `json:"discrepancies"`
	// Places is how many kinds of discrepancy there are in all (route, path
	// and kind), listed or not.
	Places  uint64       `json:"places"`
	Latency []Latency    `json:"latency"`
	Noise   []NoiseClass `json:"noise"`
	// Presumed are differences that nothing proves harmless.
	Presumed []NoiseClass `json:"presumed"`
	// Paired are the places of them that the whole run proves to be names.
	Paired []Pairing `json:"paired"`
	// Incomplete says what was not compared.
	Incomplete []Reason `json:"incomplete"`
	// Control is what asking the baseline again has shown.
	Control Control `json:"control"`
	Balance Balance `json:"balance"`
}

// Load reads the report of a run. The error wraps ErrUnknownRun when there is
// no such run.
func Load(ctx context.Context, conn driver.Conn, run string, o Options) (*Report, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r, err := Summary(ctx, conn, run)
	if err != nil {
		return nil, err
	}
	return r, inOrder(
		func() (err error) {
			r.Discrepancies, r.Places, err = TopDiscrepancies(ctx, conn, run, o.Top)
			return err
		},
		func() (err error) { r.Latency, err = Latencies(ctx, conn, run, o); return err },
		func() (err error) { r.Noise, err = Noise(ctx, conn, run); return err },
		func() (err error) { r.Presumed, err = Presumed(ctx, conn, run); return err },
		func() (err error) { r.Paired, err = Pairings(ctx, conn, run); return err },
		func() (err error) { r.Control, err = LoadControl(ctx, conn, run); return err },
	)
}

// Summary reads the verdicts, the balance and the diagnoses of a report; the
// rest is empty.
func Summary(ctx context.Context, conn driver.Conn, run string) (*Report, error) {
	r := &Report{Discrepancies: []Discrepancy{}, Latency: []Latency{}, Noise: []NoiseClass{}, Presumed: []NoiseClass{}, Paired: []Pairing{}, Control: Control{Places: []VolatilePlace{}}}
	return r, inOrder(
		func() (err error) { r.Run, err = FindRun(ctx, conn, run); return err },
		func() error {
			all, err := Judgements(ctx, conn, run)
			r.Judgements = len(all)
			for i := range all {
				if all[i].Current {
					r.Judgement = &all[i]
				}
			}
			return err
		},
		func() (err error) { r.Routes, err = Scorecard(ctx, conn, run); return err },
		func() (err error) { r.Total, err = LoadTotal(ctx, conn, run); return err },
		func() (err error) { r.Incomplete, err = Incomplete(ctx, conn, run); return err },
		func() (err error) { r.Balance, err = LoadBalance(ctx, conn, run); return err },
		func() error {
			e, err := loadEvidence(ctx, conn, run, r.Total, r.Routes)
			r.diagnose(e)
			return err
		},
	)
}

func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// sel runs a query whose only parameter is @run.
func sel[T any](ctx context.Context, conn driver.Conn, what, query, run string) ([]T, error) {
	rows := []T{}
	if err := conn.Select(ctx, &rows, query, clickhouse.Named("run", run)); err != nil {
		return nil, readError(what, err)
	}
	return rows, nil
}

func readError(what string, err error) error {
	var e *clickhouse.Exception
	if errors.As(err, &e) && (e.Code == 60 || e.Code == 81) { // UNKNOWN_TABLE, UNKNOWN_DATABASE
		return fmt.Errorf("read %s: %w; run understudy migrate", what, err)
	}
	return fmt.Errorf("read %s: %w", what, err)
}

// unknown tells which runs there are instead.
func unknown(run string, known []Run) error {
	if len(known) == 0 {
		return fmt.Errorf("%w %q: the tables hold none; replay one and run understudy compare", ErrUnknownRun, run)
	}
	names := make([]string, 0, 5)
	for _, r := range known[:min(len(known), 5)] {
		names = append(names, Clean(r.Name))
	}
	return fmt.Errorf("%w %q: there are %s; see understudy runs list", ErrUnknownRun, run, strings.Join(names, ", "))
}
