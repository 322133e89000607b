package report

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Latency sets the times of both systems side by side for one route, in
// milliseconds. The candidate's count from the intended send time; 0 is
// unknown.
type Latency struct {
	Route         string  `json:"route" ch:"route"`
	Replays       uint64  `json:"replays" ch:"replays"`
	BaselineP50   float64 `json:"baseline_p50_ms" ch:"baseline_p50_ms"`
	BaselineP99   float64 `json:"baseline_p99_ms" ch:"baseline_p99_ms"`
	AckP50        float64 `json:"ack_p50_ms" ch:"ack_p50_ms"`
	AckP99        float64 `json:"ack_p99_ms" ch:"ack_p99_ms"`
	CompletionP50 float64 `json:"completion_p50_ms" ch:"completion_p50_ms"`
	CompletionP99 float64 `json:"completion_p99_ms" ch:"completion_p99_ms"`
	// Asynchronous is how many completions came after the acknowledgement.
	Asynchronous uint64 `json:"asynchronous" ch:"asynchronous"`
	// Slow is set by Options.SlowRatio and SlowFloor; it looks at Tail.
	Slow bool `json:"slow"`
}

// Tail is the candidate's p99 that a client of the route waits for: to the
// completion where any came after the acknowledgement, otherwise to the
// acknowledgement, which is the whole answer there.
func (l Latency) Tail() float64 {
	if l.Asynchronous > 0 {
		return l.CompletionP99
	}
	return l.AckP99
}

// Latencies gives the latencies by route, those first whose candidate is most behind.
func Latencies(ctx context.Context, conn driver.Conn, run string, o Options) ([]Latency, error) {
	rows, err := sel[Latency](ctx, conn, "the latencies", fmt.Sprintf(`SELECT route, replays, baseline_p50_ms, baseline_p99_ms,
 ack_p50_ms, ack_p99_ms, completion_p50_ms, completion_p99_ms, asynchronous
FROM latency WHERE run = @run ORDER BY if(asynchronous > 0, completion_p99_ms, ack_p99_ms) - baseline_p99_ms DESC, route LIMIT %d`, maxRoutes), run)
	for i := range rows {
		rows[i].Slow = o.slow(rows[i])
	}
	return rows, err
}

func (o Options) slow(l Latency) bool {
	return l.BaselineP99 > 0 && l.Tail() > o.SlowRatio*l.BaselineP99 && l.Tail() > l.BaselineP99+o.SlowFloor
}
