package report

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Millis is a time in milliseconds: 0 is unknown, +Inf longer than the wait.
type Millis float64

// Never is the time of what did not come.
var Never = Millis(math.Inf(1))

// Scan implements sql.Scanner for a Float64.
func (m *Millis) Scan(v any) error {
	f, ok := v.(float64)
	if !ok {
		return fmt.Errorf("milliseconds: %T is no float64", v)
	}
	*m = Millis(f)
	return nil
}

// MarshalJSON writes Never as null, since JSON has no infinity.
func (m Millis) MarshalJSON() ([]byte, error) {
	if m == Never {
		return []byte("null"), nil
	}
	return json.Marshal(float64(m))
}

// String is the number, or inf.
func (m Millis) String() string {
	if m == Never {
		return "inf"
	}
	return strconv.FormatFloat(float64(m), 'g', -1, 64)
}

// Latency sets the times of both systems side by side for one route. The
// candidate's count from the intended send time. The quantiles are of all
// requests: one that was never answered or completed counts as Never.
type Latency struct {
	Route         string `json:"route" ch:"route"`
	Replays       uint64 `json:"replays" ch:"replays"`
	BaselineP50   Millis `json:"baseline_p50_ms" ch:"baseline_p50_ms"`
	BaselineP99   Millis `json:"baseline_p99_ms" ch:"baseline_p99_ms"`
	AckP50        Millis `json:"ack_p50_ms" ch:"ack_p50_ms"`
	AckP99        Millis `json:"ack_p99_ms" ch:"ack_p99_ms"`
	CompletionP50 Millis `json:"completion_p50_ms" ch:"completion_p50_ms"`
	CompletionP99 Millis `json:"completion_p99_ms" ch:"completion_p99_ms"`
	// Asynchronous is how many completions came after the acknowledgement.
	Asynchronous uint64 `json:"asynchronous" ch:"asynchronous"`
	// Lost is how many never completed.
	Lost uint64 `json:"lost" ch:"lost"`
	// Slow is set by Options.SlowRatio and SlowFloor; it looks at Tail.
	Slow bool `json:"slow"`
}

// Tail is the candidate's p99 that a client of the route waits for: to the
// completion where any came after the acknowledgement, otherwise to the
// acknowledgement, which is the whole answer there.
func (l Latency) Tail() Millis {
	if l.Asynchronous > 0 {
		return l.CompletionP99
	}
	return l.AckP99
}

// Latencies gives the latencies by route, those first whose candidate is most behind.
func Latencies(ctx context.Context, conn driver.Conn, run string, o Options) ([]Latency, error) {
	rows, err := sel[Latency](ctx, conn, "the latencies", fmt.Sprintf(`SELECT route, replays, baseline_p50_ms, baseline_p99_ms,
 ack_p50_ms, ack_p99_ms, completion_p50_ms, completion_p99_ms, asynchronous, lost
FROM latency WHERE run = @run ORDER BY if(isInfinite(baseline_p99_ms), 0, if(asynchronous > 0, completion_p99_ms, ack_p99_ms) - baseline_p99_ms) DESC, route LIMIT %d`, maxRoutes), run)
	for i := range rows {
		rows[i].Slow = o.slow(rows[i])
	}
	return rows, err
}

func (o Options) slow(l Latency) bool {
	return l.BaselineP99 > 0 && l.Tail() > Millis(o.SlowRatio)*l.BaselineP99 && l.Tail() > l.BaselineP99+Millis(o.SlowFloor)
}
