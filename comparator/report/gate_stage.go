package report

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator"
	"understudy.dev/comparator/gate"
)

// ErrSeveralRuns is wrapped when several runs have exchanges of a stage: added up,
// one exchange would count twice.
var ErrSeveralRuns = errors.New("several runs have exchanges of this stage")

// StageEvidence reads what a gate looks at of one stage of a migration, from a run
// or, where that is empty, from the only one that has exchanges of it. Where none
// has, there is no evidence.
//
// What the candidate served and nobody compared is left out and counted in the
// scope: the session's bucket decides who serves it, not what the candidate does.
func StageEvidence(ctx context.Context, conn driver.Conn, scope gate.Scope, run string, thresholds []gate.Threshold, given comparator.Judgement) (gate.Evidence, error) {
	if run == "" {
		runs, err := stageRuns(ctx, conn, scope)
		switch {
		case err != nil:
			return gate.Evidence{}, err
		case len(runs) == 0:
			return gate.Evidence{Scope: &scope, Thresholds: thresholds}, nil
		case len(runs) > 1:
			return gate.Evidence{}, fmt.Errorf("%w, migration %s: %s; name the one that counts", ErrSeveralRuns, Clean(scope.Migration), Clean(strings.Join(runs, ", ")))
		}
		run = runs[0]
	}
	return evidenceOf(ctx, conn, run, &scope, thresholds, given)
}

// stageRuns are the runs that have compared exchanges of a stage, at most ten.
func stageRuns(ctx context.Context, conn driver.Conn, scope gate.Scope) ([]string, error) {
	var rows []struct {
		Run string `ch:"name"`
	}
	err := conn.Select(ctx, &rows, "SELECT DISTINCT toString(run) AS name FROM comparisons AS c WHERE "+counted(&scope)+" ORDER BY name LIMIT 10", within(&scope)...)
	if err != nil {
		return nil, readError("the runs of the stage", err)
	}
	var out []string
	for _, r := range rows {
		out = append(out, r.Run)
	}
	return out, nil
}

// inScope is the condition for the exchanges of a scope, of all without one.
func inScope(scope *gate.Scope) string {
	switch {
	case scope == nil:
		return "1"
	case len(scope.Routes) == 0:
		return "c.migration = @migration AND c.step >= @since"
	}
	return "c.migration = @migration AND c.step >= transform(toString(c.route), @own, @begun, @since)"
}

// counted is the condition for those that are evidence.
func counted(scope *gate.Scope) string {
	if scope == nil {
		return inScope(nil)
	}
	return inScope(scope) + " AND NOT (c.served_by = 'candidate' AND c.verdict = 'skipped')"
}

// within are the arguments of both.
func within(scope *gate.Scope) []any {
	if scope == nil {
		return nil
	}
	args := []any{clickhouse.Named("migration", scope.Migration), clickhouse.Named("since", scope.Since)}
	if own := slices.Sorted(maps.Keys(scope.Routes)); len(own) > 0 {
		var begun []uint64
		for _, route := range own {
			begun = append(begun, scope.Routes[route])
		}
		args = append(args, clickhouse.Named("own", own), clickhouse.Named("begun", begun))
	}
	return args
}

// addServed counts in the scope what the candidate served and nobody compared; it
// returns how many requests of the run the facts have.
func addServed(ctx context.Context, conn driver.Conn, run, judgement string, until uint64, scope *gate.Scope) (facts uint64, err error) {
	err = conn.QueryRow(ctx, `SELECT countIf(c.ordinal < @until AND c.served_by = 'candidate' AND c.verdict = 'skipped' AND `+inScope(scope)+`), count()
FROM all_comparisons AS c WHERE run = @run AND judgement = @judgement AND verdict != 'orphan'`,
		append(within(scope), clickhouse.Named("run", run), clickhouse.Named("judgement", judgement), clickhouse.Named("until", until))...).Scan(&scope.Served, &facts)
	if err != nil {
		return 0, readError("what the candidate served", err)
	}
	return facts, nil
}
