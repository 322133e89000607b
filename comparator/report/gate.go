package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator"
	"understudy.dev/comparator/gate"
)

// Evidence reads what a gate with these thresholds looks at, of a run whose
// verdicts should be those of the judgement given. The error wraps ErrUnknownRun
// when there is no such run.
//
// Of a run that goes on it takes the requests up to the first one that is not judged
// yet: what completes soon is known before what is late or lost, so that the latest
// ones would look better than they are.
func Evidence(ctx context.Context, conn driver.Conn, run string, thresholds []gate.Threshold, given comparator.Judgement) (gate.Evidence, error) {
	return evidenceOf(ctx, conn, run, nil, thresholds, given)
}

func evidenceOf(ctx context.Context, conn driver.Conn, run string, scope *gate.Scope, thresholds []gate.Threshold, given comparator.Judgement) (gate.Evidence, error) {
	e := gate.Evidence{Run: run, Scope: scope, Thresholds: thresholds}
	head, err := FindRun(ctx, conn, run)
	if err != nil {
		return e, err
	}
	all, err := Judgements(ctx, conn, run)
	if err != nil {
		return e, err
	}
	for _, j := range all {
		if j.Current {
			e.Judgement = j.ID
		}
	}
	if len(all) == 0 {
		return e, nil
	}
	until := uint64(1) << 63
	if !head.Ended() {
		if until, err = firstUnjudged(ctx, conn, run, e.Judgement); err != nil {
			return e, err
		}
	}
	if e.Routes, err = routeCounts(ctx, conn, run, e.Judgement, until, thresholds, scope); err != nil {
		return e, err
	}
	facts := requests(e.Routes)
	if scope != nil {
		if facts, err = addServed(ctx, conn, run, e.Judgement, until, scope); err != nil {
			return e, err
		}
		if len(e.Routes) == 0 {
			return e, nil // which holds, whatever the books say
		}
	}
	if e.Judgement != given.ID {
		e.Spoiled = append(e.Spoiled, gate.Reason{Name: gate.Stale, What: fmt.Sprintf("the tables show judgement %s, and the rules given now make %s; understudy judge %s judges the run under these",
			orBefore(e.Judgement), given.ID, Shell(run))})
	}
	if head.State == "failed" {
		e.Doubts = append(e.Doubts, gate.Reason{Name: gate.Failed, What: "the run has failed: " + Clean(head.Detail)})
	}
	return e, inOrder(
		func() error { return addBooks(ctx, conn, head, facts, &e) },
		func() error { return addControl(ctx, conn, run, &e) },
	)
}

func orBefore(id string) string { return Judgement{ID: id}.Name() }

// addBooks says whether the books speak against the evidence. Those of a run that
// goes on are not closed; its recorders' hold all the same. facts are the requests
// of the run that the tables have.
func addBooks(ctx context.Context, conn driver.Conn, head Run, facts uint64, e *gate.Evidence) error {
	b, err := LoadBalance(ctx, conn, head.Name)
	if err != nil {
		return err
	}
	total, err := LoadTotal(ctx, conn, head.Name)
	if err != nil {
		return err
	}
	var broken []string
	for _, r := range b.Recorders {
		if !r.Holds {
			broken = append(broken, "the books of recorder "+Clean(r.Recorder)+" do not balance")
		}
	}
	if head.Ended() {
		if !b.Holds {
			broken = append(b.Broken, broken...)
		}
		if !b.Control.Holds {
			broken = append(broken, "the books of the control sample do not balance")
		}
		if facts != total.Selected {
			broken = append(broken, fmt.Sprintf("the totals have %s requests and the facts %s; facts expire after 180 days", Count(total.Selected), Count(facts)))
		}
	}
	if len(broken) > 0 {
		e.Spoiled = append(e.Spoiled, gate.Reason{Name: gate.Unbalanced, What: "the run is no evidence; understudy runs balance " + Shell(head.Name) + " says more: " + strings.Join(broken, "; ")})
	}
	return nil
}

func requests(routes []gate.Counts) (n uint64) {
	for _, c := range routes {
		n += c.Requests
	}
	return n
}

// addControl counts the places that the control calls different.
func addControl(ctx context.Context, conn driver.Conn, run string, e *gate.Evidence) error {
	c, err := LoadControl(ctx, conn, run)
	for _, p := range c.Places {
		i := slices.IndexFunc(e.Routes, func(r gate.Counts) bool { return r.Route == p.Route })
		if p.Different && i >= 0 {
			e.Routes[i].Different++
		}
	}
	return err
}

// blockOfOrdinals is how many ordinals are looked at together.
const blockOfOrdinals = 1 << 16

// firstUnjudged is the least ordinal of a run that has no row: all before it are
// judged. Blocks of ordinals are counted first, so that not all are sorted.
func firstUnjudged(ctx context.Context, conn driver.Conn, run, judgement string) (uint64, error) {
	args := []any{clickhouse.Named("run", run), clickhouse.Named("judgement", judgement)}
	ask := func(query string) (n uint64, err error) {
		if err = conn.QueryRow(ctx, query, args...).Scan(&n); err != nil {
			return 0, readError("the judged ordinals", err)
		}
		return n, nil
	}
	// What is full and has as many full ones before it as its number says is full
	// without a gap.
	whole, err := ask(fmt.Sprintf(`SELECT count() FROM
(
 SELECT block, row_number() OVER (ORDER BY block) - 1 AS before FROM
 (
  SELECT intDiv(ordinal - 1, %d) AS block FROM all_comparisons WHERE run = @run AND judgement = @judgement AND ordinal > 0
  GROUP BY block HAVING groupBitmap(ordinal) = %[1]d
 )
)
WHERE block = before`, blockOfOrdinals))
	if err != nil {
		return 0, err
	}
	first := whole * blockOfOrdinals
	rest, err := ask(fmt.Sprintf(`SELECT count() FROM
(
 SELECT ordinal, row_number() OVER (ORDER BY ordinal) AS before FROM
 (SELECT DISTINCT ordinal FROM all_comparisons WHERE run = @run AND judgement = @judgement AND ordinal > %d AND ordinal <= %d)
)
WHERE ordinal = before + %[1]d`, first, first+blockOfOrdinals))
	return first + rest + 1, err
}

// countRow is what Evidence reads of a route.
type countRow struct {
	Route      string   `ch:"route"`
	First      uint64   `ch:"first"`
	Requests   uint64   `ch:"requests"`
	Names      []string `ch:"names"`
	Found      []uint64 `ch:"found"`
	Unanswered uint64   `ch:"unanswered"`
	Unsure     uint64   `ch:"unsure"`
	Over       []uint64 `ch:"beyond"`
	Unknown    []uint64 `ch:"unclear"`
}

// routeCounts reads the counts of all requests before an ordinal, by route.
//
// A candidate that gave no answer, or never completed, is beyond every threshold.
// Otherwise it is if it took longer since the request was sent. If it only took
// longer since the request should have been sent, that may be the replayer's delay:
// it is unknown, and so is what has no time of the baseline to be held against.
func routeCounts(ctx context.Context, conn driver.Conn, run, judgement string, until uint64, thresholds []gate.Threshold, scope *gate.Scope) ([]gate.Counts, error) {
	over, unclear := "CAST([], 'Array(UInt64)')", "CAST([], 'Array(UInt64)')"
	if len(thresholds) > 0 {
		var beyond, unknown []string
		for _, t := range thresholds {
			limit, blind := fmt.Sprintf("%d", t.Plus.Nanoseconds()), "blind"
			if t.Ratio > 0 {
				limit, blind = fmt.Sprintf("(%g * baseline + %d)", t.Ratio, t.Plus.Nanoseconds()), "(blind OR NOT never AND baseline = 0)"
			}
			hit := fmt.Sprintf("(NOT %s AND (never OR service > %s))", blind, limit)
			beyond = append(beyond, "countIf("+hit+")")
			unknown = append(unknown, fmt.Sprintf("countIf(%s OR NOT %s AND latency > %s)", blind, hit, limit))
		}
		over, unclear = "["+strings.Join(beyond, ", ")+"]", "["+strings.Join(unknown, ", ")+"]"
	}
	var rows []countRow
	err := conn.Select(ctx, &rows, fmt.Sprintf(`SELECT toString(name) AS route, min(ordinal) AS first, count() AS requests,
 sumMap(finds, arrayMap(f -> toUInt64(1), finds)).1 AS names, sumMap(finds, arrayMap(f -> toUInt64(1), finds)).2 AS found,
 countIf(silent) AS unanswered,
 countIf(NOT blind AND NOT has(finds, 'mismatch') AND hasAny(finds, ['presumed', 'incomplete'])) AS unsure,
 %s AS beyond, %s AS unclear
FROM
(
 SELECT c.route AS name, ordinal, arrayMap(f -> toString(f), findings) AS finds,
  has(finds, 'error') AND baseline_status = 0 AS silent, silent OR has(finds, 'skipped') AS blind,
  baseline_latency_ns AS baseline,
  (has(finds, 'lost') OR has(finds, 'error')) AND completion_latency_ns = 0 AS never,
  if(completion_latency_ns > 0, completion_service_ns, ack_service_ns) AS service,
  greatest(service, if(completion_latency_ns > 0, completion_latency_ns, ack_latency_ns)) AS latency
 FROM all_comparisons AS c
 WHERE run = @run AND judgement = @judgement AND verdict != 'orphan' AND ordinal < @until AND %s
)
GROUP BY name ORDER BY first, name LIMIT %d`, over, unclear, counted(scope), maxRoutes+1),
		append(within(scope), clickhouse.Named("run", run), clickhouse.Named("judgement", judgement), clickhouse.Named("until", until))...)
	if err != nil {
		return nil, readError("the findings", err)
	}
	if len(rows) > maxRoutes {
		return nil, fmt.Errorf("run %s has more than %s routes, which no gate can tell apart; give templates in record.routes", Clean(run), Count(maxRoutes))
	}
	var out []gate.Counts
	for _, r := range rows {
		out = append(out, r.counts())
	}
	return out, nil
}

func (r countRow) counts() gate.Counts {
	c := gate.Counts{Route: r.Route, First: r.First, Requests: r.Requests, Findings: map[string]uint64{}, Unanswered: r.Unanswered, Unsure: r.Unsure}
	for i, name := range r.Names {
		c.Findings[name] = r.Found[i]
	}
	// These are about no fault of the candidate.
	c.Findings[string(comparator.Error)] -= min(r.Unanswered, c.Findings[string(comparator.Error)])
	c.Skipped, c.Presumed, c.Incomplete = c.Findings[string(comparator.Skipped)], c.Findings[string(comparator.Presumed)], c.Findings[string(comparator.Incomplete)]
	for i, n := range r.Over {
		c.Over = append(c.Over, gate.Over{Over: n, Unknown: r.Unknown[i]})
	}
	return c
}
