package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/exchange/operation"
)

// evidence is what the tables prove beside the verdicts. Only what the verdicts
// leave possible is asked for.
type evidence struct {
	errors       map[string]uint64 // replays without an answer of the candidate, by kind
	unauthorized byRoute
	// looked is how many of unauthorized were looked up among the exchanges, and
	// redacted how many of them have a redacted value there.
	looked, redacted uint64
	unordered        byRoute
	pending          []pendingRoute
}

// byRoute counts replays, the route with the most first.
type byRoute []struct {
	Route   string `ch:"route"`
	Replays uint64 `ch:"replays"`
}

// sum is how many replays there are in all, and where most of them are.
func (b byRoute) sum() (n uint64, names string) {
	var parts []string
	for _, r := range b {
		n += r.Replays
		parts = append(parts, Clean(r.Route)+" "+Count(r.Replays))
	}
	if more := len(parts) - 3; more > 0 {
		parts = append(parts[:3], fmt.Sprintf("and %s more routes", Count(uint64(more))))
	}
	return n, strings.Join(parts, ", ")
}

// pendingRoute is a route whose answers look as if they were none yet: 202, or a
// word at Path.
type pendingRoute struct {
	Route   string `ch:"route"`
	Path    string `ch:"path"`
	Word    string `ch:"word"`
	Status  uint16 `ch:"status"`
	Replays uint64 `ch:"replays"`
	// Of is how many of the route were sent.
	Of uint64
}

const (
	// maxPending bounds how many routes a report names as pending.
	maxPending = 3
	// maxLooked bounds how many exchanges are looked up.
	maxLooked = 10_000

	accepting = "baseline_status BETWEEN 1 AND 399"
	forbidden = "run = @run AND ack_status IN (401, 403) AND " + accepting
	dependent = "run = @run AND ack_status IN (404, 409, 412) AND session != '' AND " + accepting
)

func loadEvidence(ctx context.Context, conn driver.Conn, run string, total Score, routes []Score) (e evidence, err error) {
	if total.Judged == 0 {
		return e, nil
	}
	if 2*total.Error >= total.Judged {
		if e.errors, err = transportErrors(ctx, conn, run); err != nil {
			return e, err
		}
	}
	if considerable(total.RejectedByCandidate, total.Judged) {
		if err := e.refusals(ctx, conn, run); err != nil {
			return e, err
		}
	}
	e.pending, err = pendingRoutes(ctx, conn, run, routes)
	return e, err
}

func transportErrors(ctx context.Context, conn driver.Conn, run string) (map[string]uint64, error) {
	rows, err := sel[struct {
		Kind    string `ch:"kind"`
		Replays uint64 `ch:"replays"`
	}](ctx, conn, "the transport errors", "SELECT toString(error) AS kind, count() AS replays FROM comparisons WHERE run = @run AND verdict = 'error' AND error != '' GROUP BY kind LIMIT 100", run)
	out := map[string]uint64{}
	for _, r := range rows {
		out[r.Kind] = r.Replays
	}
	return out, err
}

func (e *evidence) refusals(ctx context.Context, conn driver.Conn, run string) (err error) {
	e.unauthorized, err = countByRoute(ctx, conn, run, "SELECT route FROM comparisons WHERE "+forbidden)
	if err != nil {
		return err
	}
	if e.unordered, err = countByRoute(ctx, conn, run, overtaking); err != nil {
		return err
	}
	n, _ := e.unauthorized.sum()
	if e.looked = min(n, maxLooked); e.looked == 0 {
		return nil
	}
	rows, err := sel[struct {
		N uint64 `ch:"n"`
	}](ctx, conn, "the redactions", fmt.Sprintf(`SELECT uniqExact(id) AS n FROM exchanges
WHERE redactions > 0 AND id IN (SELECT exchange_id FROM comparisons WHERE %s ORDER BY ordinal LIMIT %d)`, forbidden, maxLooked), run)
	if err == nil {
		e.redacted = rows[0].N
	}
	return err
}

func countByRoute(ctx context.Context, conn driver.Conn, run, rows string) (byRoute, error) {
	return sel[struct {
		Route   string `ch:"route"`
		Replays uint64 `ch:"replays"`
	}](ctx, conn, "the refusals", fmt.Sprintf("SELECT toString(route) AS route, count() AS replays FROM (%s) GROUP BY route ORDER BY replays DESC, route LIMIT %d", rows, maxRoutes), run)
}

// overtaking are refusals that were sent before the candidate had finished a
// write of the same session that the baseline had finished by then. At each
// moment of the recording, in which a write ends (first) or a request that was
// refused begins, the latest end of a write at the candidate is known.
const overtaking = `SELECT route FROM
(
 SELECT route, refused, sent, max(finished) OVER (PARTITION BY session ORDER BY moment, refused ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS latest
 FROM
 (
  SELECT route, session, true AS refused, toUnixTimestamp64Nano(exchange_time) AS moment, toUnixTimestamp64Nano(sent_time) AS sent, toInt64(0) AS finished
  FROM comparisons WHERE ` + dependent + `
  UNION ALL
  SELECT route, session, false, toUnixTimestamp64Nano(exchange_time) + toInt64(baseline_latency_ns), 0, toUnixTimestamp64Nano(sent_time) + toInt64(greatest(completion_service_ns, ack_service_ns))
  FROM comparisons WHERE run = @run AND verdict NOT IN ('skipped', 'orphan', 'error') AND method NOT IN ('GET', 'HEAD', 'OPTIONS', 'TRACE') AND ` + accepting + `
   AND session IN (SELECT session FROM comparisons WHERE ` + dependent + `)
 )
)
WHERE refused AND latest > sent`

// pendingRoutes are those whose direct answers were taken for final and are a
// 202 where the baseline has none, or hold a word for what goes on where the
// baseline has another.
func pendingRoutes(ctx context.Context, conn driver.Conn, run string, routes []Score) ([]pendingRoute, error) {
	out, err := sel[pendingRoute](ctx, conn, "the acknowledgements", `SELECT toString(route) AS route, '' AS path, '' AS word, toUInt16(202) AS status, count() AS replays
FROM comparisons WHERE run = @run AND ack_status = 202 AND channel = 'immediate' AND baseline_status NOT IN (0, 202) GROUP BY route ORDER BY replays DESC, route LIMIT 100`, run)
	if err != nil {
		return nil, err
	}
	words, err := sel[pendingRoute](ctx, conn, "the words for a state", `SELECT toString(route) AS route, path, candidate AS word, any(c.status) AS status, count() AS replays
FROM differences AS d
INNER JOIN (SELECT topic_id, kafka_partition, kafka_offset, ack_status AS status FROM comparisons WHERE run = @run AND verdict = 'mismatch' AND channel = 'immediate' AND ack_status BETWEEN 200 AND 299) AS c
 USING (topic_id, kafka_partition, kafka_offset)
WHERE run = @run AND noise_class = '' AND path IN ('$.status', '$.state') AND kind = 'value' AND length(candidate) <= 20
GROUP BY route, path, word ORDER BY replays DESC, route, path, word LIMIT 1000`, run)
	if err != nil {
		return nil, err
	}
	for _, w := range words {
		known := slices.ContainsFunc(out, func(p pendingRoute) bool { return p.Route == w.Route })
		if !known && operation.SaysPending(w.Word) {
			out = append(out, w)
		}
	}
	for i := range out {
		for _, s := range routes {
			if s.Route == out[i].Route {
				out[i].Of = s.Judged
			}
		}
	}
	return out[:min(len(out), maxPending)], nil
}
