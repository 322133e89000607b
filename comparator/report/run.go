package report

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Run is the last word of the replayer on a run.
type Run struct {
	Name      string  `json:"name" ch:"name"`
	State     string  `json:"state" ch:"state"`
	Detail    string  `json:"detail,omitempty" ch:"detail"`
	Candidate string  `json:"candidate" ch:"candidate"`
	Speed     float64 `json:"speed" ch:"speed"`
	Follow    bool    `json:"follow" ch:"follow"`
	// Load is what was sent that is not simply what was recorded, in words.
	Load string `json:"load,omitempty" ch:"load"`
	// Completion is how answers were awaited: auto, none, poll, callback.
	Completion string            `json:"completion" ch:"completion"`
	Start      time.Time         `json:"start" ch:"start_time"`
	End        time.Time         `json:"end" ch:"end_time"`
	Selected   uint64            `json:"selected" ch:"selected"`
	Replayed   uint64            `json:"replayed" ch:"replayed"`
	Skipped    map[string]uint64 `json:"skipped" ch:"skipped"`
	Completed  map[string]uint64 `json:"completed" ch:"completed"`
	// PlannedRate and AchievedRate are sends per second.
	PlannedRate  float64 `json:"planned_rate" ch:"planned_rate"`
	AchievedRate float64 `json:"achieved_rate" ch:"achieved_rate"`
	// Lag is the actual minus the intended send time, nanoseconds.
	LagP50 int64 `json:"lag_p50_ns" ch:"lag_p50_ns"`
	LagP99 int64 `json:"lag_p99_ns" ch:"lag_p99_ns"`
	LagMax int64 `json:"lag_max_ns" ch:"lag_max_ns"`
	// LocationsRefused are places named by the candidate that were not asked.
	LocationsRefused uint64 `json:"locations_refused" ch:"locations_refused"`
}

// Ended says whether the run has come to its end, well or not.
func (r Run) Ended() bool { return r.State != "running" && r.State != "paused" && r.State != "" }

const runQuery = `SELECT name, state, detail, candidate, speed, follow, load, completion, start_time, end_time, selected, replayed,
 skipped, completed, planned_rate, achieved_rate, lag_p50_ns, lag_p99_ns, lag_max_ns, locations_refused
FROM runs FINAL `

// MaxRuns bounds what Runs gives.
const MaxRuns = 1000

// OfRecord is a run as its record in Kafka has it.
func OfRecord(r *understudyv1.Run) Run {
	s := r.GetSpec()
	out := Run{
		Name: r.GetName(), State: understudyv1.Label(r.GetState()), Detail: r.GetDetail(), Candidate: s.GetCandidate(), Speed: s.GetSpeed(), Follow: s.GetFollow(),
		Completion: s.GetCompletion(), Start: time.Unix(0, r.GetStartUnixNano()).UTC(), Selected: r.GetSelected(), Replayed: r.GetReplayed(),
		Skipped: r.GetSkipped(), Completed: r.GetCompleted(), PlannedRate: r.GetPlannedRate(), AchievedRate: r.GetAchievedRate(),
		LagP50: r.GetLagP50Nano(), LagP99: r.GetLagP99Nano(), LagMax: r.GetLagMaxNano(), LocationsRefused: r.GetLocationsRefused(),
	}
	if n := r.GetEndUnixNano(); n != 0 {
		out.End = time.Unix(0, n).UTC()
	}
	return out
}

// Runs lists the runs, the latest first, at most 1,000.
func Runs(ctx context.Context, conn driver.Conn) ([]Run, error) {
	rows := []Run{}
	if err := conn.Select(ctx, &rows, runQuery+"ORDER BY start_time DESC, name LIMIT ?", MaxRuns); err != nil {
		return nil, readError("runs", err)
	}
	return rows, nil
}

// FindRun gives one run; the error wraps ErrUnknownRun when there is none.
func FindRun(ctx context.Context, conn driver.Conn, run string) (Run, error) {
	rows, err := sel[Run](ctx, conn, "runs", runQuery+"WHERE name = @run", run)
	if err != nil || len(rows) == 1 {
		if err != nil {
			return Run{}, err
		}
		return rows[0], nil
	}
	known, err := Runs(ctx, conn)
	if err != nil {
		return Run{}, err
	}
	return Run{}, unknown(run, known)
}
