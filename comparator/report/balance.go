package report

import (
	"context"
	"fmt"
	"slices"

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
	// Holds is what the view run_balance says, as every other place does: the
	// equations of the run hold. Recorders have books of their own.
	Holds bool `json:"holds" ch:"balances"`
	// Broken are the equations of the run that do not hold, with their numbers.
	Broken []string `json:"broken"`
	// Control are the books of the control sample.
	Control ControlBalance `json:"control"`
	// Recorders are the books of those whose exchanges are in the run.
	Recorders []RecorderBalance `json:"recorders"`
}

// ControlBalance is what the replayer says of the control sample of a run, beside
// what the comparator has judged.
type ControlBalance struct {
	// Sampled replays were to ask the control: it has answered, or not, by reason.
	Sampled    uint64            `json:"sampled" ch:"sampled"`
	Answered   uint64            `json:"answered" ch:"answered"`
	Unanswered map[string]uint64 `json:"unanswered" ch:"unanswered"`
	// Judged are the comparisons whose replay has the control's answer.
	Judged uint64 `json:"judged" ch:"judged"`
	// Holds is what the view control_balance says: none was sampled, or answered =
	// judged.
	Holds bool `json:"holds" ch:"balances"`
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
	// Holds is what the view recorder_balance says: served = recorded + dropped +
	// pending and, after its last word, nothing is pending and all is stored.
	Holds bool `json:"holds" ch:"balances"`
}

// Equations are those that must hold: of the run, of its control sample, then of
// each recorder.
func (b Balance) Equations() []Equation {
	out := append(b.Own(), b.Control.Equations()...)
	for _, r := range b.Recorders {
		out = append(out, r.Equations()...)
	}
	return out
}

// Own are the equations of the run itself, those of the view run_balance.
func (b Balance) Own() []Equation {
	replayed, skipped, orphans := term{name: "replayed", n: b.Replayed}, term{name: "skipped", n: b.Skipped}, term{name: "orphans", n: b.Orphans}
	return []Equation{
		equation(term{name: "selected", n: b.Selected}, replayed, term{"skipped", b.Skipped, b.SkippedBy}),
		equation(term{name: "written", n: b.Written}, replayed, skipped, orphans),
		equation(replayed, term{name: "sum of verdicts", n: b.Judged}),
		equation(skipped, term{name: "judged as skipped", n: b.JudgedSkipped}),
		equation(orphans, term{name: "judged as orphan", n: b.JudgedOrphans}),
	}
}

// Equations are those of the view control_balance.
func (c ControlBalance) Equations() []Equation {
	if c.Sampled == 0 {
		return nil
	}
	return []Equation{
		equation(term{name: "control: sampled", n: c.Sampled}, term{name: "answered", n: c.Answered}, term{"unanswered", Sum(c.Unanswered), c.Unanswered}),
		equation(term{name: "control: answered", n: c.Answered}, term{name: "judged with a control", n: c.Judged}),
	}
}

// Equations are those of the view recorder_balance.
func (r RecorderBalance) Equations() []Equation {
	name := "recorder " + r.Recorder + ": "
	out := []Equation{equation(
		term{name: name + "served", n: r.Served}, term{name: "recorded", n: r.Recorded},
		term{"dropped", Sum(r.Dropped), r.Dropped}, term{name: "pending", n: r.Pending},
	)}
	if r.Final {
		out = append(out, equation(term{name: name + "recorded", n: r.Recorded}, term{name: "stored", n: r.Stored}))
	}
	if r.Final && r.Pending > 0 {
		out = append(out, equation(term{name: name + "pending at its end", n: r.Pending}, term{name: "none"}))
	}
	return out
}

// explain lists the equations of the run that do not hold.
func (b *Balance) explain() {
	b.Broken = []string{}
	for _, e := range b.Own() {
		if !e.Holds() {
			b.Broken = append(b.Broken, e.String())
		}
	}
}

// Trusted says whether the books hold of the run, of its control sample and of
// every recorder whose exchanges are in it.
func (b Balance) Trusted() bool {
	return b.Holds && b.Control.Holds && !slices.ContainsFunc(b.Recorders, func(r RecorderBalance) bool { return !r.Holds })
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
 judged, judged_skipped, judged_orphans, toBool(balances) AS balances FROM run_balance WHERE run = @run`, run)
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
	sample, err := sel[ControlBalance](ctx, conn, "the books of the control sample", `SELECT sampled, answered, unanswered, judged, toBool(balances) AS balances
FROM control_balance WHERE run = @run`, run)
	if err != nil {
		return Balance{}, err
	}
	if b.Control = (ControlBalance{Holds: true}); len(sample) > 0 {
		b.Control = sample[0]
	}
	b.Recorders, err = sel[RecorderBalance](ctx, conn, "the books of the recorders", `SELECT b.recorder AS recorder, b.final AS final, b.served AS served, b.recorded AS recorded,
 b.dropped_by_reason AS dropped_by_reason, b.pending AS pending, b.stored AS stored, r.in_run AS in_run, toBool(b.balances) AS balances
FROM recorder_balance AS b
INNER JOIN (SELECT recorder, sum(replays) AS in_run FROM comparison_totals WHERE run = @run AND verdict != 'orphan' GROUP BY recorder) AS r
ON b.recorder = r.recorder ORDER BY recorder LIMIT 1000`, run)
	b.explain()
	return b, err
}
