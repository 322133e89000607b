package report

import (
	"context"
	"fmt"
	"slices"
	"time"

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
	// Facts are what the tables hold of its current judgement.
	Facts FactBalance `json:"facts"`
	// Holds is what the view run_balance says, as every other place does: the
	// equations of the run hold. Recorders have books of their own.
	Holds bool `json:"holds" ch:"balances"`
	// Broken are the equations of the run that do not hold, with their numbers.
	Broken []string `json:"broken"`
	// Control are the books of the control sample.
	Control ControlBalance `json:"control"`
	// Recorders are the books of those whose exchanges are in the run.
	Recorders []RecorderBalance `json:"recorders"`
	// Flags stand in commands that are to be copied, as " --prefix x".
	Flags string `json:"-"`
}

// FactBalance is what the tables hold of a run, counted in each of them: what was
// deleted from one of them, or put into it, is missing or too many there.
type FactBalance struct {
	// Comparisons are the replays in the table comparisons, in its roll-up by
	// minute, and in the totals.
	Comparisons uint64 `json:"comparisons" ch:"comparisons"`
	ByMinute    uint64 `json:"comparisons_by_minute" ch:"comparisons_by_minute"`
	InTotals    uint64 `json:"comparisons_in_totals" ch:"comparisons_in_totals"`
	// Places are the differing places that the comparisons say are listed, and
	// Differences those that are.
	Places              uint64 `json:"places" ch:"places"`
	Differences         uint64 `json:"differences" ch:"differences"`
	DifferencesByMinute uint64 `json:"differences_by_minute" ch:"differences_by_minute"`
	DifferencesInTotals uint64 `json:"differences_in_totals" ch:"differences_in_totals"`
	// Expired says that the run is older than 180 days, after which facts expire
	// and nothing is asked of them.
	Expired bool `json:"expired" ch:"expired"`
	// Judgement is the current one; without one, from before there were any,
	// nothing is asked of differences.
	Judgement string `json:"judgement" ch:"judgement"`
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

// RecorderBalance is the last tally of one life of a recorder beside what was
// stored of it.
type RecorderBalance struct {
	Recorder string `json:"recorder" ch:"recorder"`
	// Start is when this life began; 1970 for imports and what earlier versions
	// wrote.
	Start time.Time `json:"start" ch:"start_time"`
	// State is running, ended (in order), killed (a successor has closed its
	// books), unheard (it ended without a word) or unknown (the tables have
	// neither a tally nor an exchange of it).
	State string `json:"state" ch:"state"`
	// Untallied says that there is no tally: nothing is known of what it served
	// and dropped.
	Untallied bool              `json:"untallied" ch:"untallied"`
	Final     bool              `json:"final" ch:"final"`
	Served    uint64            `json:"served" ch:"served"`
	Recorded  uint64            `json:"recorded" ch:"recorded"`
	Dropped   map[string]uint64 `json:"dropped" ch:"dropped_by_reason"`
	Pending   uint64            `json:"pending" ch:"pending"`
	// Spooled are on its disk and will be recorded.
	Spooled uint64 `json:"spooled" ch:"spooled"`
	// Stored are the exchanges of the recorder in the table exchanges: fewer
	// than Recorded while they are being read or when they have expired.
	Stored uint64 `json:"stored" ch:"stored"`
	// Records are as many as there are of them: more than Stored when one was
	// written twice. Highest is the highest sequence number among them.
	Records uint64 `json:"records" ch:"records"`
	Highest uint64 `json:"highest" ch:"highest"`
	// InRun are the exchanges of the recorder that the run has. It has fewer
	// than Recorded when it was given a part, or when more were recorded since.
	InRun uint64 `json:"in_run" ch:"in_run"`
	// Holds is what the view recorder_balance says: served = recorded + dropped +
	// spooled + pending, nothing was written twice and, after its end, nothing is
	// pending and all is stored. An end without a word never holds. A recorder of
	// which the tables have no tally and no exchange is not in the view, and nothing
	// speaks against it.
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
	return append([]Equation{
		equation(term{name: "selected", n: b.Selected}, replayed, term{"skipped", b.Skipped, b.SkippedBy}),
		equation(term{name: "written", n: b.Written}, replayed, skipped, orphans),
		equation(replayed, term{name: "sum of verdicts", n: b.Judged}),
		equation(skipped, term{name: "judged as skipped", n: b.JudgedSkipped}),
		equation(orphans, term{name: "judged as orphan", n: b.JudgedOrphans}),
	}, b.Facts.Equations()...)
}

// Equations are those of the view fact_balance.
func (f FactBalance) Equations() []Equation {
	if f.Expired {
		return nil
	}
	totals, places := term{name: "comparisons in the totals", n: f.InTotals}, term{name: "places that comparisons list", n: f.Places}
	out := []Equation{
		equation(totals, term{name: "in the table", n: f.Comparisons}),
		equation(totals, term{name: "by minute", n: f.ByMinute}),
	}
	if f.Judgement == "" {
		return out
	}
	return append(out,
		equation(places, term{name: "in the table differences", n: f.Differences}),
		equation(places, term{name: "by minute", n: f.DifferencesByMinute}),
		equation(places, term{name: "in the totals", n: f.DifferencesInTotals}),
	)
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
	outcomes := []term{{name: "recorded", n: r.Recorded}, {"dropped", Sum(r.Dropped), r.Dropped}, {name: "pending", n: r.Pending}}
	if r.Spooled > 0 {
		outcomes = append(outcomes, term{name: "spooled", n: r.Spooled})
	}
	var out []Equation
	if !r.Untallied {
		out = append(out, equation(term{name: name + "served", n: r.Served}, outcomes...))
	}
	none := func(what string, n uint64) {
		if n > 0 {
			out = append(out, equation(term{name: name + what, n: n}, term{name: "none"}))
		}
	}
	switch r.State {
	case "ended":
		out = append(out, equation(term{name: name + "recorded", n: r.Recorded}, term{name: "stored", n: r.Stored}))
	case "killed":
		// Kafka may have taken what was under way without saying so in time.
		late := min(r.Stored-min(r.Stored, r.Recorded), r.Dropped["killed"])
		out = append(out, equation(term{name: name + "stored", n: r.Stored}, term{name: "recorded", n: r.Recorded}, term{name: "killed, but in Kafka", n: late}))
	case "unheard":
		none("ends without a last word", 1)
	}
	if r.Ended() {
		none("pending at its end", r.Pending)
		none("numbers beyond those served", r.Highest-min(r.Highest, r.Served))
	}
	if !r.Start.Equal(time.Unix(0, 0)) {
		none("records written twice", r.Records-min(r.Records, r.Stored))
	}
	return out
}

// faults are the equations that do not hold, and the recorders that are broken by
// something else.
func (b Balance) faults() []string {
	out := []string{}
	for _, e := range append(b.Own(), b.Control.Equations()...) {
		if !e.Holds() {
			out = append(out, e.String())
		}
	}
	for _, r := range b.Recorders {
		if r.Holds {
			continue
		}
		n := len(out)
		for _, e := range r.Equations() {
			if !e.Holds() {
				out = append(out, e.String())
			}
		}
		if n == len(out) {
			out = append(out, "recorder "+r.Recorder+": its books do not hold")
		}
	}
	return out
}

// unjudged is how many replays in Kafka the totals lack.
func (b Balance) unjudged() uint64 {
	return b.Written - min(b.Written, b.Judged+b.JudgedSkipped+b.JudgedOrphans)
}

// Remedy says what to do about a run that has ended and whose books do not hold,
// and try is a command for it. Without one a remedy that ends with a colon is to
// replay again.
func (b Balance) Remedy() (remedy, try string) {
	again := "understudy judge" + b.Flags + " " + Shell(b.Run) + b.Facts.again()
	switch n := b.unjudged(); {
	case slices.ContainsFunc(b.Facts.Equations(), func(e Equation) bool { return !e.Holds() }):
		return "Unless understudy compare is writing right now, rows were deleted from the tables or put into them. Judging again, under the rules that the run is shown under, writes again what is missing if Kafka still has the replays; what is too many stays:", again
	case n > 0:
		return fmt.Sprintf("%s of %s replays in Kafka are not judged yet:", Count(n), Count(b.Written)), "understudy compare" + b.Flags + " --run " + Shell(b.Run)
	case b.Holds && b.Control.Judged < b.Control.Answered:
		return "Rows of the control sample were deleted from the table controls, or are from before there was one. Judging again, under the rules that the run is shown under, writes again what is missing if Kafka still has the replays:", again
	case b.Holds && b.Control.Holds:
		return "What a recorder did not record is not in the run, which is evidence of the rest only. understudy recorder balance lists what is missing, and why; record and replay again for a run without gaps.", ""
	}
	return "Replay again under another name:", ""
}

// again is the flag with which judge writes the judgement again that is shown; one
// from before there were judgements has no rules to judge by.
func (f FactBalance) again() string {
	if f.Judgement == "" {
		return ""
	}
	return " --judgement " + Shell(f.Judgement)
}

// Ended says whether nothing more is served in this life, and its books are
// whole.
func (r RecorderBalance) Ended() bool { return r.State == "ended" || r.State == "killed" }

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

// Open counts the recorders whose last word is not there, and which do not break
// the balance by that: what they dropped since their last tally is unknown.
func (b Balance) Open() int {
	n := 0
	for _, r := range b.Recorders {
		if r.State == "running" || r.State == "unknown" {
			n++
		}
	}
	return n
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
	type row struct {
		Balance
		FactBalance
	}
	rows, err := sel[row](ctx, conn, "the balance", `SELECT run, state, selected, replayed, skipped, orphans, written,
 judged, judged_skipped, judged_orphans, toBool(balances) AS balances,
 toString(judgement) AS judgement, comparisons, comparisons_by_minute, comparisons_in_totals, places, differences, differences_by_minute,
 differences_in_totals, toBool(expired) AS expired
FROM run_balance WHERE run = @run`, run)
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
	b := rows[0].Balance
	b.Facts = rows[0].FactBalance
	b.SkippedBy, b.Detail = head.Skipped, head.Detail
	sample, err := sel[ControlBalance](ctx, conn, "the books of the control sample", `SELECT sampled, answered, unanswered, judged, toBool(balances) AS balances
FROM control_balance WHERE run = @run`, run)
	if err != nil {
		return Balance{}, err
	}
	if b.Control = (ControlBalance{Holds: true}); len(sample) > 0 {
		b.Control = sample[0]
	}
	b.Recorders, err = sel[RecorderBalance](ctx, conn, "the books of the recorders", `SELECT r.recorder AS recorder, b.final AS final, b.served AS served, b.recorded AS recorded,
 b.dropped_by_reason AS dropped_by_reason, b.pending AS pending, b.stored AS stored, b.start_time AS start_time, if(b.recorder = '', 'unknown', b.state) AS state, b.recorder = '' OR b.untallied AS untallied,
 b.spooled AS spooled, b.records AS records, b.highest AS highest, r.in_run AS in_run, b.recorder = '' OR toBool(b.balances) AS balances
FROM (SELECT toString(recorder) AS recorder, sum(replays) AS in_run FROM comparison_totals WHERE run = @run AND verdict != 'orphan' AND recorder != '' GROUP BY recorder) AS r
LEFT JOIN recorder_balance AS b ON b.recorder = r.recorder ORDER BY recorder, start_time LIMIT 1000`, run)
	b.explain()
	return b, err
}
