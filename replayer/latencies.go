package replayer

import (
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Latencies are how long final answers took, those on a completion's channel to
// their first completion, in microseconds.
type Latencies struct {
	// Intended counts from when the request was to be sent, Service from when it
	// was.
	Intended, Service *hdrhistogram.Histogram
}

func newLatencies() Latencies {
	return Latencies{hdrhistogram.New(1, lagLimit.Microseconds(), 3), hdrhistogram.New(1, lagLimit.Microseconds(), 3)}
}

// add takes a final answer, if one came.
func (l Latencies) add(o *understudyv1.Observation) {
	var intended, service int64
	switch d := o.GetCompletion(); {
	case o.GetAck() == nil:
		return
	case d == nil || d.GetChannel() == understudyv1.Channel_CHANNEL_IMMEDIATE:
		intended, service = o.GetAckLatencyNano(), o.GetAckServiceNano()
	case d.GetSeen() == 0:
		return
	default:
		intended, service = d.GetLatencyNano(), d.GetServiceNano()
	}
	for h, nano := range map[*hdrhistogram.Histogram]int64{l.Intended: intended, l.Service: service} {
		_ = h.RecordValue(min(max(time.Duration(nano), 0), lagLimit).Microseconds())
	}
}

// Latencies is a copy of those so far.
func (r *Replayer) Latencies() Latencies {
	r.books.mu.Lock()
	defer r.books.mu.Unlock()
	l := r.books.latencies
	return Latencies{hdrhistogram.Import(l.Intended.Export()), hdrhistogram.Import(l.Service.Export())}
}

// WriteHistogram writes the percentiles of a histogram of microseconds, in
// milliseconds, as HdrHistogram does in all languages (.hgrm).
func WriteHistogram(w io.Writer, h *hdrhistogram.Histogram) error {
	const ticksPerHalfDistance, unit = 5, 1000
	_, err := h.PercentilesPrint(w, ticksPerHalfDistance, unit)
	return err
}
