package demo

import (
	"context"
	"errors"
	"fmt"

	"understudy.dev/demo/fault"
)

// Score sets the faults that were planted beside those that a run found.
type Score struct {
	Run    string  `json:"run"`
	Faults []Found `json:"faults"`
	// Unexpected counts replays reported for anything else.
	Unexpected uint64 `json:"unexpected"`
	// Busy says why the machine was too busy for the planted timings, if it was.
	Busy string `json:"busy,omitempty"`
}

// Found is one fault: how often it was planted, and how often the tables show
// it.
type Found struct {
	Name    fault.Name `json:"name"`
	What    string     `json:"what"`
	Route   string     `json:"route"`
	Verdict string     `json:"verdict"`
	Path    string     `json:"path,omitempty"`
	Kind    string     `json:"kind,omitempty"`
	Where   string     `json:"where"`
	Planted uint64     `json:"planted"`
	Found   uint64     `json:"found"`
}

const ok = "ok"

// Mark says in a word how a fault fared: "ok", "MISSED" (too few were found),
// "MORE" (too many) or "NOT PLANTED".
func (f Found) Mark() string {
	switch {
	case f.Planted == 0:
		return "NOT PLANTED"
	case f.Found < f.Planted:
		return "MISSED"
	case f.Found > f.Planted:
		return "MORE"
	}
	return ok
}

// Failure says what is wrong with a score that is not complete; it blames the
// machine if that was too busy.
func (s Score) Failure() error {
	switch {
	case s.Complete():
		return nil
	case s.Busy != "":
		return fmt.Errorf("the machine was too busy: %s; run it again", s.Busy)
	}
	return errors.New("the demo did not find exactly what was planted")
}

// Complete is true when every fault was planted, each was found exactly as
// often as it was planted, and nothing else was reported.
func (s Score) Complete() bool {
	for _, f := range s.Faults {
		if f.Mark() != ok {
			return false
		}
	}
	return s.Unexpected == 0
}

// Count answers a query of ClickHouse that gives one number, with the
// parameter {run:String}.
type Count func(ctx context.Context, query, run string) (uint64, error)

// Compare counts in the tables what a run found of what was planted.
func Compare(ctx context.Context, run string, planted []fault.Planted, count Count) (Score, error) {
	score := Score{Run: run}
	for _, p := range planted {
		n, err := count(ctx, p.Query(), run)
		if err != nil {
			return Score{}, fmt.Errorf("count %s: %w", p.Name, err)
		}
		score.Faults = append(score.Faults, Found{
			p.Name, p.What, p.Route, p.Verdict, p.Path, p.Kind, p.Where, uint64(len(p.References)), n,
		})
	}
	n, err := count(ctx, fault.UnexpectedQuery(), run)
	if err != nil {
		return Score{}, fmt.Errorf("count what was not planted: %w", err)
	}
	score.Unexpected = n
	return score, nil
}
