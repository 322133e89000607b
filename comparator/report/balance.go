package report

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Balance shows that nothing of a run went missing on its way through the
// replayer, Kafka and the comparator.
type Balance struct {
	Run   string `json:"run" ch:"run"`
	State string `json:"state" ch:"state"`
	// Detail is why the run failed.
	Detail string `json:"detail,omitempty"`
	// What the replayer says.
	Selected uint64 `json:"selected" ch:"selected"`
	Replayed uint64 `json:"replayed" ch:"replayed"`
	Skipped  uint64 `json:"skipped" ch:"skipped"`
	Orphans  uint64 `json:"orphans" ch:"orphans"`
	// SkippedBy is Skipped by reason.
	SkippedBy map[string]uint64 `json:"skipped_by_reason"`
	// Written are the replay records that Kafka acknowledged.
	Written uint64 `json:"written" ch:"written"`
	// What the comparator has judged.
	Judged        uint64 `json:"judged" ch:"judged"`
	JudgedSkipped uint64 `json:"judged_skipped" ch:"judged_skipped"`
	JudgedOrphans uint64 `json:"judged_orphans" ch:"judged_orphans"`
	// Holds is true when every equation does.
	Holds bool `json:"holds"`
	// Broken are the equations that do not hold, with their numbers.
	Broken []string `json:"broken"`
	// Recorders are the books of those whose exchanges are in the run.
	Recorders []RecorderBalance `json:"recorders"`
}

// RecorderBalance is the last tally of a recorder beside what was stored of
// it.
type RecorderBalance struct {
	Recorder string            `json:"recorder" ch:"recorder"`
	Final    bool              `json:"final" ch:"final"`
	Served   uint64            `json:"served" ch:"served"`
	Recorded uint64            `json:"recorded" ch:"recorded"`
	Dropped  map[string]uint64 `json:"dropped" ch:"dropped_by_reason"`
	Pending  uint64            `json:"pending" ch:"pending"`
	// Stored are the exchanges of the recorder in the table exchanges: fewer
	// than Recorded while they are being read or when they have expired.
	Stored uint64 `json:"stored" ch:"stored"`
	// InRun are the exchanges of the recorder that the run has. It has fewer
	// than Recorded when it was given a part, or when more were recorded since.
	InRun uint64 `json:"in_run" ch:"in_run"`
	// Holds is true when served = recorded + dropped + pending.
	Holds bool `json:"holds"`
}

// Equations are those that must hold: of the run, then one for each recorder.
func (b Balance) Equations() []Equation {
	replayed, skipped, orphans := term{name: "replayed", n: b.Replayed}, term{name: "skipped", n: b.Skipped}, term{name: "orphans", n: b.Orphans}
	out := []Equation{
		equation(term{name: "selected", n: b.Selected}, replayed, term{"skipped", b.Skipped, b.SkippedBy}),
		equation(term{name: "written", n: b.Written}, replayed, skipped, orphans),
		equation(replayed, term{name: "sum of verdicts", n: b.Judged}),
		equation(skipped, term{name: "judged as skipped", n: b.JudgedSkipped}),
		equation(orphans, term{name: "judged as orphan", n: b.JudgedOrphans}),
	}
	for _, r := range b.Recorders {
		out = append(out, r.equation())
	}
	return out
}

func (r RecorderBalance) equation() Equation {
	return equation(
		term{name: "recorder " + r.Recorder + ": served", n: r.Served}, term{name: "recorded", n: r.Recorded},
		term{"dropped", Sum(r.Dropped), r.Dropped}, term{name: "pending", n: r.Pending},
	)
}

// Check sets Holds and Broken of the balance and Holds of its recorders.
func (b *Balance) Check() {
	b.Broken = []string{}
	for _, e := range b.Equations() {
		if !e.Holds() {
			b.Broken = append(b.Broken, e.String())
		}
	}
	b.Holds = len(b.Broken) == 0
	for i := range b.Recorders {
		b.Recorders[i].Holds = b.Recorders[i].equation().Holds()
	}
}

// Sum adds up counts by reason.
func Sum(m map[string]uint64) uint64 {
	n := uint64(0)
	for _, v := range m {
		n += v
	}
	return n
}

// LoadBalance reads the balance of a run; the error wraps ErrUnknownRun when
// there is no such run.
func LoadBalance(ctx context.Context, conn driver.Conn, run string) (Balance, error) {
	rows, err := sel[Balance](ctx, conn, "the balance", `SELECT run, state, selected, replayed, skipped, orphans, written,
 judged, judged_skipped, judged_orphans FROM run_balance WHERE run = @run`, run)
	if err != nil {
		return Balance{}, err
	}
	head, err := FindRun(ctx, conn, run)
	if err != nil {
		return Balance{}, err
	}
	if len(rows) == 0 {
		return Balance{}, fmt.Errorf("read the balance: run %q has appeared just now; ask again", Clean(run))
	}
	b := rows[0]
	b.SkippedBy, b.Detail = head.Skipped, head.Detail
	b.Recorders, err = sel[RecorderBalance](ctx, conn, "the books of the recorders", `SELECT b.recorder AS recorder, b.final AS final, b.served AS served, b.recorded AS recorded,
 b.dropped_by_reason AS dropped_by_reason, b.pending AS pending, b.stored AS stored, r.in_run AS in_run
FROM recorder_balance AS b
INNER JOIN (SELECT recorder, sum(replays) AS in_run FROM comparison_totals WHERE run = @run AND verdict != 'orphan' GROUP BY recorder) AS r
ON b.recorder = r.recorder ORDER BY recorder LIMIT 1000`, run)
	b.Check()
	return b, err
}
