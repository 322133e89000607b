package report

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Balance shows that nothing of a run went missing on its way through the
// replayer, Kafka and the comparator.
type Balance struct {
	Run   string `json:"run" ch:"run"`
	State string `json:"state" ch:"state"`
	// What the replayer says.
	Selected uint64 `json:"selected" ch:"selected"`
	Replayed uint64 `json:"replayed" ch:"replayed"`
	Skipped  uint64 `json:"skipped" ch:"skipped"`
	Orphans  uint64 `json:"orphans" ch:"orphans"`
	// Written are the replay records that Kafka acknowledged.
	Written uint64 `json:"written" ch:"written"`
	// What the comparator has judged.
	Judged        uint64 `json:"judged" ch:"judged"`
	JudgedSkipped uint64 `json:"judged_skipped" ch:"judged_skipped"`
	JudgedOrphans uint64 `json:"judged_orphans" ch:"judged_orphans"`
	// Holds is true when every equation does.
	Holds bool `json:"holds"`
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
	// Holds is true when served = recorded + dropped + pending.
	Holds bool `json:"holds"`
}

// Equation is one line of a balance.
type Equation struct {
	Name  string `json:"name"`
	Left  uint64 `json:"left"`
	Right uint64 `json:"right"`
}

// Holds says whether both sides are equal.
func (e Equation) Holds() bool { return e.Left == e.Right }

// Equations are those that must hold for the run.
func (b Balance) Equations() []Equation {
	return []Equation{
		{"selected = replayed + skipped", b.Selected, b.Replayed + b.Skipped},
		{"written = replayed + skipped + orphans", b.Written, b.Replayed + b.Skipped + b.Orphans},
		{"replayed = sum of verdicts", b.Replayed, b.Judged},
		{"skipped = judged as skipped", b.Skipped, b.JudgedSkipped},
		{"orphans = judged as orphan", b.Orphans, b.JudgedOrphans},
	}
}

// close sets Holds of the balance and of its recorders.
func (b *Balance) close() {
	b.Holds = true
	for _, e := range b.Equations() {
		b.Holds = b.Holds && e.Holds()
	}
	for i := range b.Recorders {
		r := &b.Recorders[i]
		r.Holds = r.Served == r.Recorded+sum(r.Dropped)+r.Pending
		b.Holds = b.Holds && r.Holds
	}
}

func sum(m map[string]uint64) uint64 {
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
	if len(rows) == 0 {
		known, err := Runs(ctx, conn)
		if err != nil {
			return Balance{}, err
		}
		return Balance{}, unknown(run, known)
	}
	b := rows[0]
	b.Recorders, err = sel[RecorderBalance](ctx, conn, "the books of the recorders", `SELECT recorder, final, served, recorded, dropped_by_reason, pending, stored
FROM recorder_balance WHERE recorder IN (SELECT DISTINCT recorder FROM comparisons WHERE run = @run) ORDER BY recorder LIMIT 1000`, run)
	b.close()
	return b, err
}
