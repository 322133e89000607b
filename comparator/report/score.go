package report

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Score counts the verdicts of a route.
type Score struct {
	Route         string `json:"route" ch:"route"`
	Replays       uint64 `json:"replays" ch:"replays"`
	Match         uint64 `json:"match" ch:"match"`
	Mismatch      uint64 `json:"mismatch" ch:"mismatch"`
	Rejected      uint64 `json:"rejected" ch:"rejected"`
	Lost          uint64 `json:"lost" ch:"lost"`
	Late          uint64 `json:"late" ch:"late"`
	Duplicate     uint64 `json:"duplicate" ch:"duplicate"`
	Contradictory uint64 `json:"contradictory" ch:"contradictory"`
	OutOfOrder    uint64 `json:"out_of_order" ch:"out_of_order"`
	Orphan        uint64 `json:"orphan" ch:"orphan"`
	Error         uint64 `json:"error" ch:"error"`
	Skipped       uint64 `json:"skipped" ch:"skipped"`
	Incomplete    uint64 `json:"incomplete" ch:"incomplete"`
	Presumed      uint64 `json:"presumed" ch:"presumed"`
	// The sides that refused: together Rejected.
	RejectedByBaseline  uint64 `json:"rejected_by_baseline" ch:"rejected_by_baseline"`
	RejectedByCandidate uint64 `json:"rejected_by_candidate" ch:"rejected_by_candidate"`
	// Judged is Replays without those skipped and without orphans, Selected
	// without orphans alone.
	Judged   uint64 `json:"judged" ch:"judged"`
	Selected uint64 `json:"selected" ch:"selected"`
	// MatchRate is Match / Selected, 0 when nothing was selected: what was
	// skipped did not match.
	MatchRate float64 `json:"match_rate" ch:"match_rate"`
}

type named struct {
	name string
	n    *uint64
}

// verdicts in the order of their precedence, match apart.
func (s *Score) verdicts() []named {
	return []named{
		{"skipped", &s.Skipped}, {"orphan", &s.Orphan}, {"error", &s.Error}, {"rejected", &s.Rejected},
		{"lost", &s.Lost}, {"contradictory", &s.Contradictory}, {"mismatch", &s.Mismatch},
		{"duplicate", &s.Duplicate}, {"late", &s.Late}, {"out_of_order", &s.OutOfOrder},
		{"incomplete", &s.Incomplete}, {"presumed", &s.Presumed},
	}
}

// Others says in words what was no match: "mismatch 3, lost 1".
func (s Score) Others() string {
	var parts []string
	for _, v := range s.verdicts() {
		switch {
		case *v.n == 0:
		case v.name == "rejected" && s.RejectedByBaseline == *v.n:
			parts = append(parts, "rejected by baseline "+Count(*v.n))
		case v.name == "rejected" && s.RejectedByCandidate == *v.n:
			parts = append(parts, "rejected by candidate "+Count(*v.n))
		default:
			parts = append(parts, fmt.Sprintf("%s %s", v.name, Count(*v.n)))
		}
	}
	return strings.Join(parts, ", ")
}

// Total adds up the scores of all routes.
func Total(routes []Score) Score {
	t := Score{Route: "total"}
	for _, r := range routes {
		t.Replays, t.Match, t.Judged, t.Selected = t.Replays+r.Replays, t.Match+r.Match, t.Judged+r.Judged, t.Selected+r.Selected
		t.RejectedByBaseline += r.RejectedByBaseline
		t.RejectedByCandidate += r.RejectedByCandidate
		from := r.verdicts()
		for i, v := range t.verdicts() {
			*v.n += *from[i].n
		}
	}
	if t.Selected > 0 {
		t.MatchRate = float64(t.Match) / float64(t.Selected)
	}
	return t
}

// scores are the columns of the view scorecard that are added up.
const scores = `replays, match, mismatch, rejected, lost, late, duplicate,
 contradictory, out_of_order, orphan, error, skipped, incomplete, presumed, rejected_by_baseline, rejected_by_candidate, judged, selected`

// LoadTotal adds up the verdicts of a run, whatever the number of its routes.
func LoadTotal(ctx context.Context, conn driver.Conn, run string) (Score, error) {
	var sums []string
	for name := range strings.SplitSeq(scores, ",") {
		name = strings.TrimSpace(name)
		sums = append(sums, "sum(s."+name+") AS "+name)
	}
	rows, err := sel[Score](ctx, conn, "the verdicts", "SELECT 'total' AS route, "+strings.Join(sums, ", ")+", if(selected = 0, 0, match / selected) AS match_rate FROM scorecard AS s WHERE run = @run", run)
	if err != nil {
		return Score{}, err
	}
	return rows[0], nil
}

// Scorecard counts verdicts by route, the route with the most replays that do
// not match first.
func Scorecard(ctx context.Context, conn driver.Conn, run string) ([]Score, error) {
	return sel[Score](ctx, conn, "the scorecard", fmt.Sprintf(`SELECT route, `+scores+`, match_rate
FROM scorecard WHERE run = @run ORDER BY replays - match DESC, route LIMIT %d`, maxRoutes), run)
}

// Discrepancy is one kind of difference that counts: a route, a folded path
// and how it differs there.
type Discrepancy struct {
	Route string `json:"route" ch:"route"`
	Path  string `json:"path" ch:"path"`
	Kind  string `json:"kind" ch:"kind"`
	// Places is how often, Replays in how many replays.
	Places  uint64 `json:"places" ch:"places"`
	Replays uint64 `json:"replays" ch:"replays"`
	// Baseline and Candidate are the values of one example, Exchange its id.
	Baseline  string `json:"example_baseline" ch:"example_baseline"`
	Candidate string `json:"example_candidate" ch:"example_candidate"`
	Exchange  string `json:"example_exchange" ch:"example_exchange"`
}

// TopDiscrepancies gives the n most frequent ones and how many there are in
// all. They are those of the view top_discrepancies, except that lost
// completions are apart by reason. They come from the totals; only the values of
// the examples are looked up among the differences, by their keys.
func TopDiscrepancies(ctx context.Context, conn driver.Conn, run string, n int) ([]Discrepancy, uint64, error) {
	type top struct {
		Discrepancy
		All       uint64 `ch:"all"`
		Judgement string `ch:"judgement"`
		TopicID   string `ch:"topic_id"`
		Partition int32  `ch:"kafka_partition"`
		Offset    int64  `ch:"kafka_offset"`
		Number    uint32 `ch:"number"`
	}
	tops, err := sel[top](ctx, conn, "the discrepancies", fmt.Sprintf(`SELECT route, path, kind, places, replays, count() OVER () AS all,
 example.1 AS judgement, example.2 AS topic_id, example.3 AS kafka_partition, example.4 AS kafka_offset, example.5 AS number
FROM (
 SELECT route, path, kind, reason, sum(d.places) AS places, sum(d.replays) AS replays,
  argMin((toString(judgement), toString(topic_id), kafka_partition, example_offset, example_number), (-block, kafka_partition, example_offset)) AS example
 FROM difference_totals AS d WHERE run = @run AND noise_class = '' GROUP BY route, path, kind, reason
)
ORDER BY replays DESC, places DESC, route, path, kind, reason LIMIT %d`, min(max(n, 1), maxTop)), run)
	if err != nil || len(tops) == 0 {
		return []Discrepancy{}, 0, err
	}
	keys := make([]string, len(tops))
	for i, t := range tops {
		keys[i] = fmt.Sprintf("(%s, %s, %d, %d, %d)", quote(t.Judgement), quote(t.TopicID), t.Partition, t.Offset, t.Number)
	}
	examples, err := sel[top](ctx, conn, "the examples", `SELECT judgement, topic_id, kafka_partition, kafka_offset, number,
 baseline AS example_baseline, candidate AS example_candidate, exchange_id AS example_exchange
FROM stored_differences WHERE run = @run AND (judgement, topic_id, kafka_partition, kafka_offset, number) IN (`+strings.Join(keys, ", ")+`)`, run)
	if err != nil {
		return nil, 0, err
	}
	rows := make([]Discrepancy, len(tops))
	for i, t := range tops {
		rows[i] = t.Discrepancy
		for _, e := range examples {
			if e.Judgement == t.Judgement && e.TopicID == t.TopicID && e.Partition == t.Partition && e.Offset == t.Offset && e.Number == t.Number {
				rows[i].Baseline, rows[i].Candidate, rows[i].Exchange = e.Baseline, e.Candidate, e.Exchange
			}
		}
	}
	return rows, tops[0].All, nil
}

// quote writes a text as a literal of SQL.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

// NoiseClass counts differences of one class.
type NoiseClass struct {
	Class   string `json:"class" ch:"noise_class"`
	Places  uint64 `json:"places" ch:"places"`
	Replays uint64 `json:"replays" ch:"replays"`
	Paths   uint64 `json:"paths" ch:"paths"`
	// Routes are those that have it, by name, at most 100.
	Routes []string `json:"routes" ch:"routes"`
}

// Noise sums up what a report leaves out because it is harmless.
func Noise(ctx context.Context, conn driver.Conn, run string) ([]NoiseClass, error) {
	return classes(ctx, conn, "noise", "noise_class != '' AND NOT startsWith(noise_class, 'presumed:')", run)
}

// Presumed sums up what only its name or shape explains.
func Presumed(ctx context.Context, conn driver.Conn, run string) ([]NoiseClass, error) {
	return classes(ctx, conn, "what is presumed", "startsWith(noise_class, 'presumed:')", run)
}

func classes(ctx context.Context, conn driver.Conn, what, which, run string) ([]NoiseClass, error) {
	return sel[NoiseClass](ctx, conn, what, `SELECT noise_class, sum(d.places) AS places, sum(first_of_class) AS replays, uniqExact(route, path) AS paths,
 arraySlice(arraySort(groupUniqArray(toString(route))), 1, 100) AS routes
FROM difference_totals AS d WHERE run = @run AND `+which+` GROUP BY noise_class ORDER BY places DESC, noise_class LIMIT 1000`, run)
}

// Reason is why comparisons are incomplete.
type Reason struct {
	Reason  string `json:"reason" ch:"incomplete"`
	Replays uint64 `json:"replays" ch:"replays"`
}

// Incomplete counts replays by what was not compared in them, the commonest
// first, at most 100.
func Incomplete(ctx context.Context, conn driver.Conn, run string) ([]Reason, error) {
	return sel[Reason](ctx, conn, "what was not compared", `SELECT toString(c.incomplete) AS incomplete, sum(c.replays) AS replays
FROM comparison_totals AS c WHERE run = @run AND c.incomplete != '' GROUP BY incomplete ORDER BY replays DESC, incomplete LIMIT 100`, run)
}
