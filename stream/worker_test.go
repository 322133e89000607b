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
		for _, r := range rest[:n] {
			w.bytes += int64(len(r.Value))
		}
		rest = rest[n:]
		for {
			cut, whole := w.cutLocked()
			passed := w.plan.end == 0 && cut > 0 && (len(rest) == 0 || rapid.Bool().Draw(rt, "max wait passes"))
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
		MaxBytes:   int64(rapid.IntRange(1, 200).Draw(rt, "max bytes")),
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
			var bytes int64
			for _, r := range b.Records {
				bytes += int64(len(r.Value))
			}
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
		if w.bytes != 0 {
			rt.Errorf("an empty queue of %d bytes", w.bytes)
		}
	})
}

// TestPlannedBatchIsTheSameUnderAnyBounds: a crashed consumer's successor has
// other bounds and gets its records in other portions.
func TestPlannedBatchIsTheSameUnderAnyBounds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records := partitionOf(rt)
		before := arrivals(rt, &worker{c: limits(rt)}, records)
		died := rapid.IntRange(0, len(before)-1).Draw(rt, "died at batch")
		planned := before[died]
		p, fingerprint := parsePlan(planned.First, plan{planned.First, planned.End}.metadata("print"))
		if fingerprint != "print" {
			rt.Fatalf("fingerprint %q", fingerprint)
		}
		var rest []*kgo.Record
		for _, r := range records {
			if r.Offset >= planned.First {
				rest = append(rest, r)
			}
		}
		after := arrivals(rt, &worker{c: limits(rt), plan: p}, rest)
		if len(after) == 0 {
			rt.Fatal("the planned batch never came")
		}
		if diff := cmp.Diff(offsets(planned.Records), offsets(after[0].Records)); diff != "" || after[0].End != planned.End {
			rt.Errorf("planned to %d, got to %d (-want +got):\n%s", planned.End, after[0].End, diff)
		}
	})
}

func FuzzParsePlan(f *testing.F) {
	f.Add(int64(3), plan{3, 9}.metadata("a b"))
	f.Add(int64(3), "understudy-plan/1 3 x")
	f.Add(int64(0), "understudy-plan/1 -1 x")
	f.Add(int64(0), "somebody else's")
	f.Fuzz(func(t *testing.T, first int64, metadata string) {
		p, fingerprint := parsePlan(first, metadata)
		if p == (plan{}) {
			return
		}
		if p.first != first || p.end <= first {
			t.Errorf("plan %+v of offset %d", p, first)
		}
		if again, f2 := parsePlan(first, p.metadata(fingerprint)); again != p || f2 != fingerprint {
			t.Errorf("%+v %q came back as %+v %q", p, fingerprint, again, f2)
		}
	})
}
