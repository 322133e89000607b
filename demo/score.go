package demo

import (
	"context"
	"fmt"

	"understudy.dev/demo/fault"
)

// Score sets the faults that were planted beside those that a run found.
type Score struct {
	Run    string  `json:"run"`
	Faults []Found `json:"faults"`
	// Unexpected counts replays reported for anything else.
	Unexpected uint64 `json:"unexpected"`
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

// Complete is true when every fault was planted, each was found exactly as
// often as it was planted, and nothing else was reported.
func (s Score) Complete() bool {
	for _, f := range s.Faults {
		if f.Planted == 0 || f.Found != f.Planted {
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
