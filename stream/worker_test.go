package stream

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// arrivals feeds a worker records with holes between their offsets, in
// portions of any size, and takes batches whenever one is whole (or when
// MaxWait happens to pass).
func arrivals(rt *rapid.T, w *worker, records []*kgo.Record) []Batch {
	var out []Batch
	for rest := records; len(rest) > 0; {
		n := rapid.IntRange(1, len(rest)).Draw(rt, "portion")
		w.queue = append(w.queue, rest[:n]...)
		rest = rest[n:]
		for {
			cut, whole := w.cutLocked()
			passed := cut > 0 && (len(rest) == 0 || rapid.Bool().Draw(rt, "max wait passes"))
			if !whole && !passed {
				break
			}
			out = append(out, w.takeLocked(cut))
		}
	}
	return out
}

func limits(rt *rapid.T) *Consumer {
	return &Consumer{cfg: ConsumerConfig{
		MaxRecords: rapid.IntRange(1, 20).Draw(rt, "max records"),
		MaxBytes:   int64(rapid.IntRange(1, 20_000).Draw(rt, "max bytes")),
	}}
}

func partitionOf(rt *rapid.T) []*kgo.Record {
	var records []*kgo.Record
	offset := int64(rapid.IntRange(0, 5).Draw(rt, "first"))
	for range rapid.IntRange(1, 60).Draw(rt, "records") {
		records = append(records, &kgo.Record{Offset: offset, Value: make([]byte, rapid.IntRange(0, 60).Draw(rt, "size"))})
		offset += int64(rapid.IntRange(1, 3).Draw(rt, "step"))
	}
	return records
}

func offsets(rs []*kgo.Record) []int64 {
	out := []int64{}
	for _, r := range rs {
		out = append(out, r.Offset)
	}
	return out
}

func TestBatchesAreEveryRecordInOrderWithinBounds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c, records := limits(rt), partitionOf(rt)
		w := &worker{c: c}
		var got []*kgo.Record
		for _, b := range arrivals(rt, w, records) {
			bytes := sizesOf(b.Records)
			if n := len(b.Records); n == 0 || n > c.cfg.MaxRecords || bytes > c.cfg.MaxBytes && n > 1 {
				rt.Errorf("batch of %d records, %d bytes", n, bytes)
			}
			if b.First != b.Records[0].Offset || b.End != b.Records[len(b.Records)-1].Offset+1 {
				rt.Errorf("batch [%d,%d) of offsets %v", b.First, b.End, offsets(b.Records))
			}
			got = append(got, b.Records...)
		}
		if diff := cmp.Diff(offsets(records), offsets(got)); diff != "" {
			rt.Errorf("offsets (-want +got):\n%s", diff)
		}
		if len(w.queue) != 0 {
			rt.Errorf("%d records are left", len(w.queue))
		}
	})
}
