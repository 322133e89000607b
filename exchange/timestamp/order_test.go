package timestamp_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"understudy.dev/exchange/timestamp"
)

// TestOrderFindsWhatPairsSay: it finds what a comparison of each with each finds.
func TestOrderFindsWhatPairsSay(t *testing.T) {
	from := time.Date(2026, 11, 24, 10, 0, 0, 1e6, time.UTC)
	f := timestamp.Frame{Baseline: timestamp.Span{From: from, To: from.Add(time.Second)}, Candidate: timestamp.Span{From: from, To: from.Add(time.Second)}}
	random := rand.New(rand.NewPCG(1, 2))
	at := func() timestamp.Time {
		return timestamp.Time{Time: from.Add(time.Duration(random.IntN(40)) * time.Millisecond), Style: timestamp.Style{Layout: "ms", Digits: 3}}
	}
	for range 2000 {
		var o timestamp.Order
		var all []timestamp.Pair
		for range random.IntN(6) {
			b, c := at(), at()
			o.Add(&f, b, c, false)
			all = append(all, timestamp.PairOf(b, c))
		}
		got := o.Broken(&f)
		for _, p := range all {
			want := false
			for _, q := range all {
				want = want || p.Baseline < q.Baseline && p.Candidate > q.Candidate || p.Baseline > q.Baseline && p.Candidate < q.Candidate
			}
			other, is := got[p]
			if is != want || is && (other.Baseline < p.Baseline) == (other.Candidate < p.Candidate) {
				t.Fatalf("%v of %v: broken %v by %v, want %v", p, all, is, other, want)
			}
		}
	}
}

// TestOrderIsBounded: what there is no room for is not taken for proven.
func TestOrderIsBounded(t *testing.T) {
	var o timestamp.Order
	var f timestamp.Frame
	b := timestamp.Time{Time: time.Unix(1_795_000_000, 0), Style: timestamp.Style{Layout: "s"}}
	for range timestamp.MaxOrder {
		if !o.Add(&f, b, b, false) {
			t.Fatal("no room")
		}
	}
	if o.Add(&f, b, b, false) {
		t.Error("more than there is room for")
	}
}
