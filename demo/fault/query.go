package fault

import (
	"fmt"
	"strings"
)

// Query counts, in ClickHouse, the replays of one run that show the fault. Its
// one parameter is {run:String}. It looks at verdicts, places and latencies
// alone: it finds what is there, not what is known to be planted.
func (f Fault) Query() string {
	switch {
	case f.Name == SlowTail:
		return fmt.Sprintf("SELECT count() FROM comparisons WHERE run = {run:String} AND route = '%s' AND verdict = 'match'"+
			" AND completion_service_ns > baseline_latency_ns + %d", f.Route, SlowOver*1_000_000)
	case f.Name == Orphan:
		return "SELECT count() FROM comparisons WHERE run = {run:String} AND verdict = 'orphan'"
	case f.Path != "":
		return fmt.Sprintf("SELECT uniqExact(exchange_id) FROM discrepancies WHERE run = {run:String} AND verdict = 'mismatch'"+
			" AND route = '%s' AND path = '%s' AND kind = '%s'", f.Route, f.Path, f.Kind)
	}
	return fmt.Sprintf("SELECT count() FROM comparisons WHERE run = {run:String} AND route = '%s' AND verdict = '%s'",
		f.Route, f.Verdict)
}

// UnexpectedQuery counts, in ClickHouse, what a run of the demo reports beyond
// its faults: verdicts on routes where no fault gives them, and replays with a
// discrepancy at a place where no fault makes one. Its one parameter is
// {run:String}.
func UnexpectedQuery() string {
	verdicts, places := []string{"('(orphan)', 'orphan')"}, []string{}
	for _, f := range catalogue {
		verdicts = append(verdicts, fmt.Sprintf("('%s', '%s')", f.Route, f.Verdict))
		if f.Path != "" {
			for _, p := range append([]Place{{f.Path, f.Kind}}, f.Also...) {
				places = append(places, fmt.Sprintf("('%s', '%s', '%s')", f.Route, p.Path, p.Kind))
			}
		}
	}
	return "SELECT (SELECT count() FROM comparisons WHERE run = {run:String} AND verdict != 'match'" +
		" AND (route, verdict) NOT IN (" + strings.Join(verdicts, ", ") + "))" +
		" + (SELECT uniqExact(exchange_id) FROM discrepancies WHERE run = {run:String} AND verdict IN ('match', 'mismatch')" +
		" AND (route, path, kind) NOT IN (" + strings.Join(places, ", ") + "))"
}
